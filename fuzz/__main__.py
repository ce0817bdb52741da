"""`python -m fuzz [TARGET...] --seconds N`: fuzz targets in turn, then a table; exit code 1 where any crashed.

`--input FILE` puts one file, such as a kept crash, before the readers of a target and shows what comes out.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from .folders import corpus_of, crashes_of
from .targets import TARGETS
from .watch import crashes

ROOT = Path(__file__).parents[1]
NAMES = [target.name for target in TARGETS]
HEADER = "| target | inputs | seconds | coverage | crashes |\n|---|---|---|---|---|"


@dataclass(frozen=True)
class Run:
    """What came of one target. coverage: edges of instrumented Python code. crashes: names of the inputs kept."""

    target: str
    inputs: int
    seconds: float
    coverage: int
    crashes: list[str]
    ended_well: bool

    @property
    def line(self) -> str:
        """Of the Markdown table."""
        return f"| {self.target} | {self.inputs} | {self.seconds:.0f} | {self.coverage} | {len(self.crashes)} |"


def fuzz(name: str, seconds: int) -> Run:
    """Fuzz one target in a process of its own; crashes of earlier runs are among its first inputs."""
    corpus, found = corpus_of(name), crashes_of(name)
    for kept in found.iterdir():
        kept.unlink() if kept.suffix == ".txt" else kept.replace(corpus / kept.name)
    log = corpus.with_suffix(".log")
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch, log.open("wb") as file:
        ended = subprocess.run(
            [sys.executable, "-m", "fuzz.one_target", name, str(seconds)],
            cwd=ROOT, env=os.environ | {"TMPDIR": scratch}, stdout=file, stderr=file, check=False,
        )  # fmt: skip
    said = log.read_text(errors="replace")
    names = sorted(kept.name for kept in found.iterdir() if kept.suffix != ".txt")
    took = time.perf_counter() - start
    return Run(name, _last(r"#(\d+)", said), took, _last(r"cov: (\d+)", said), names, ended.returncode == 0)


def main() -> int:
    """Parse, fuzz, print."""
    parser = argparse.ArgumentParser(prog="python -m fuzz")
    parser.add_argument("targets", nargs="*", choices=[*NAMES, []], metavar="TARGET", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--input", type=Path, help="try this file alone, by one target")
    options = parser.parse_args()
    names = options.targets or NAMES
    if options.input is not None:
        return _show(names[0], options.input)
    runs = []
    for name in names:
        print(f"{name} ...", end=" ", flush=True)
        runs.append(fuzz(name, options.seconds))
        print("done" if runs[-1].ended_well else f"ended early, see {corpus_of(name).with_suffix('.log')}", flush=True)
    print("\n".join(["", HEADER, *(run.line for run in runs)]))
    for run in runs:
        print("".join(f"{crashes_of(run.target) / crash}\n" for crash in run.crashes), end="")
    return int(any(run.crashes or not run.ended_well for run in runs))


def _show(name: str, file: Path) -> int:
    target = next(target for target in TARGETS if target.name == name)
    found = list(crashes(target, file.read_bytes()))
    for crash in found:
        traceback.print_exception(crash)
    return int(bool(found))


def _last(pattern: str, text: str) -> int:
    return int((re.findall(pattern, text) or [0])[-1])


if __name__ == "__main__":
    sys.exit(main())
