"""Are the label maps the same, however a run is made? Bytes where they must be, differing voxels where they may not.

    python -m benchmarks.determinism CASES [--model NAME] [--json FILE]

Every run is a process of its own over all cases of a folder. Prints a Markdown table of runs against the first.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from app.cases.discover import find_cases
from app.engines.precision import has_bfloat16
from app.scoring.metrics import mean_dice

ROOT = Path(__file__).parents[1]
ONE_THREAD = ("--engine", "openvino", "--precision", "float32", "--threads", "1")


@dataclass(frozen=True)
class Agreement:
    """Of a run's label maps with those of the first. dice: the least of a case, each the mean over its objects."""

    run: str
    cases: int
    same_bytes: int
    voxels: int
    differing: int
    dice: float

    @property
    def line(self) -> str:
        """Of the Markdown table."""
        share = f"{self.differing} of {self.voxels} ({1e6 * self.differing / self.voxels:.1f} in a million)"
        return f"| {self.run} | {self.same_bytes} of {self.cases} | {share} | {self.dice:.5f} |"


HEADER = """\
| run | same bytes | differing voxels | least Dice of a case |
|---|---|---|---|"""


def main() -> None:
    """Parse, run, compare, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.determinism")
    parser.add_argument("cases", type=Path)
    parser.add_argument("--model", help="of the manifest; default: its default")
    parser.add_argument("--json", type=Path, default=Path("outputs/determinism.json"))
    options = parser.parse_args()
    cases = find_cases([options.cases])
    model = ("--model", options.model) if options.model else ()
    results: list[Agreement] = []
    print(HEADER)
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "first"
        _predict(cases, first, (*ONE_THREAD, *model))
        for name, order, arguments in _runs(cases):
            out = Path(folder) / str(len(results))
            for some in order:
                overlays = ("--overlay", f"{out}.png") if "overlays" in name else ()
                _predict(some, out, (*arguments, *model, *overlays))
            results.append(_agreement(name, first, out))
            print(results[-1].line, flush=True)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n", encoding="utf-8")


def _runs(cases: Sequence[Path]) -> list[tuple[str, list[list[Path]], tuple[str, ...]]]:
    """Name, the cases of each process, and options."""
    shuffled = [cases[int(i)] for i in np.random.default_rng(0).permutation(len(cases))]
    together, apart = [list(cases)], [[case] for case in cases]
    runs = [
        ("again", together, ONE_THREAD),
        ("inputs shuffled", [shuffled], ONE_THREAD),
        ("a process for each case", apart, ONE_THREAD),
        ("two workers, of one thread each", together, (*ONE_THREAD[:-1], "2", "--workers", "2")),
        ("with overlays", together, ONE_THREAD),
        ("least memory: no cache, prompts one by one", together, (*ONE_THREAD, "--memory-limit", "750MB")),
        ("two threads", together, (*ONE_THREAD[:-1], "2")),
        ("torch, one thread", together, ("--engine", "torch", "--threads", "1")),
        ("torch, two threads", together, ("--engine", "torch", "--threads", "2")),
    ]
    bfloat16 = ("bfloat16", together, ("--engine", "openvino", "--precision", "bfloat16", "--threads", "1"))
    return [*runs, bfloat16] if has_bfloat16() else runs


def _predict(cases: Sequence[Path], out: Path, arguments: Sequence[str]) -> None:
    inputs = [argument for case in cases for argument in ("-i", str(case))]
    command = [sys.executable, "-m", "app", "predict", "-q", *inputs, "-o", str(out), *arguments]
    subprocess.run(command, cwd=ROOT, check=True)


def _agreement(name: str, first: Path, other: Path) -> Agreement:
    files = sorted(path.name for path in first.glob("*.npz"))
    pairs = [tuple(np.load(folder / file)["segs"] for folder in (first, other)) for file in files]
    return Agreement(
        name,
        cases=len(files),
        same_bytes=sum((first / file).read_bytes() == (other / file).read_bytes() for file in files),
        voxels=sum(a.size for a, _ in pairs),
        differing=sum(int(np.count_nonzero(a != b)) for a, b in pairs),
        dice=min(mean_dice(a, b) for a, b in pairs),
    )


if __name__ == "__main__":
    main()
