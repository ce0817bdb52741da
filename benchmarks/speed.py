"""Seconds of whole cold processes: swinlite beside the plain path, in turn on one machine.

    python -m benchmarks.speed [--weights FILE] [--rounds N] [--cases NAME...] [--json FILE]

Prints a Markdown table. Each round runs a case by each path once, in a process of its own; graphs are exported
before, as in the container. A ratio is that of two neighbours in a round; the table has the medians of seconds and of
ratios, the range of the ratios, and the agreement (Dice, the mean over objects) of the masks with the plain path's.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Literal

import numpy as np

from app.benchmark.measure import Measured, measure
from app.benchmark.phantoms import CaseKind, write_case
from app.engines.precision import has_bfloat16
from app.processes import apart
from app.run.record import machine_facts
from app.scoring.metrics import mean_dice

from .cases import KINDS
from .weights import given_or_made_up

PathName = Literal["plain", "float32", "bfloat16"]
ROOT = Path(__file__).parents[1]
BEYOND_PLAIN = ("3DBox_long",)  # the plain path would take many minutes


@dataclass(frozen=True)
class Comparison:
    """What was measured of one case by one path, a number a round."""

    case: str
    path: PathName
    runs: list[Measured]
    ratios: list[float]  # of the plain path's seconds to this one's
    agreement: float | None
    encoder_calls: int | None

    @property
    def seconds(self) -> float:
        return median(run.seconds for run in self.runs)

    @property
    def peak_memory_mib(self) -> float:
        return max(run.peak_memory_mib for run in self.runs)


class Bench:
    """Runs the paths on case files; all that they write lies in one folder."""

    def __init__(self, folder: Path, weights: Path) -> None:
        self._folder = folder
        self._weights = weights

    def prepare(self) -> None:
        """Make and compile the graphs, and have every file that is imported read once."""
        case = apart(write_case, KINDS[0], self._folder)
        for path in ("plain", *_shipped()):
            self._run(path, case)

    def compare(self, kind: CaseKind, rounds: int) -> Iterator[Comparison]:
        """Measure one case by every path, in turn."""
        case = apart(write_case, kind, self._folder)
        paths: list[PathName] = _shipped() if kind.name in BEYOND_PLAIN else ["plain", *_shipped()]
        runs = [{path: self._run(path, case) for path in paths} for _ in range(rounds)]
        for path in paths:
            yield Comparison(
                case=kind.title,
                path=path,
                runs=[of_round[path] for of_round in runs],
                ratios=[of_round["plain"].seconds / of_round[path].seconds for of_round in runs if "plain" in of_round],
                agreement=self._agreement(case, path) if "plain" in paths else None,
                encoder_calls=None if path == "plain" else self._encoder_calls(path),
            )

    def _run(self, path: PathName, case: Path) -> Measured:
        output = self._folder / path
        output.mkdir(exist_ok=True)
        if path == "plain":
            arguments = ["benchmarks.plain", case, output / case.name, self._weights]
        else:
            options = ["--weights", self._weights, "--engine", "openvino", "--precision", path]
            arguments = ["app", "predict", "-q", "-i", case, "-o", output, "--timing", self._timing(path), *options]
        environment = {"SWINLITE_CACHE": str(self._folder / "cache")}
        return measure([sys.executable, "-m", *map(str, arguments)], environment, ROOT)

    def _timing(self, path: PathName) -> Path:
        return self._folder / f"{path}.csv"

    def _encoder_calls(self, path: PathName) -> int:
        with self._timing(path).open(newline="") as file:
            return int(next(csv.DictReader(file))["encoder_calls"])

    def _agreement(self, case: Path, path: PathName) -> float:
        plain, other = (np.load(self._folder / name / case.name)["segs"] for name in ("plain", path))
        return mean_dice(plain, other)


def _shipped() -> list[PathName]:
    return ["float32", "bfloat16"] if has_bfloat16() else ["float32"]


def table_line(result: Comparison) -> str:
    """A line of the Markdown table."""
    ratios = f"{median(result.ratios):.1f} ({min(result.ratios):.1f}-{max(result.ratios):.1f})" if result.ratios else ""
    agreement = "" if result.agreement is None else f"{result.agreement:.4f}"
    calls = "" if result.encoder_calls is None else str(result.encoder_calls)
    seconds, memory = f"{result.seconds:.2f}", f"{result.peak_memory_mib:.0f}"
    cells = (result.case, result.path, seconds, ratios, agreement, calls, memory)
    return f"| {' | '.join(cells)} |"


HEADER = """\
| case | path | seconds | times as fast | agreement | encoder calls | peak MiB |
|---|---|---|---|---|---|---|"""


def main() -> None:
    """Parse, measure, print."""
    names = [kind.name for kind in KINDS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed")
    parser.add_argument("--weights", type=Path, help="of Swin-LiteMedSAM; default: made-up ones of the same shapes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--cases", nargs="+", choices=names, default=names, metavar="NAME", help=f"of {', '.join(names)}"
    )
    parser.add_argument("--json", type=Path, default=Path("outputs/speed.json"), help="every run's numbers")
    options = parser.parse_args()
    results = []
    print(HEADER)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), given_or_made_up(options.weights, Path(folder)))
        bench.prepare()
        for kind in KINDS:
            if kind.name in options.cases:
                for result in bench.compare(kind, options.rounds):
                    print(table_line(result), flush=True)
                    results.append(result)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine_facts(), "load": os.getloadavg(), "results": [asdict(result) for result in results]}
    options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
