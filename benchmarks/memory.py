"""The most memory that whole runs hold, under limits: a long volume, the largest one, and a picture of many objects.

    python -m benchmarks.memory [--model NAME] [--cases NAME...] [--limits SIZE...] [--json FILE]

Prints a Markdown table: seconds, encoder calls and peak of one process for each case and limit.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from app.benchmark.measure import measure
from app.benchmark.phantoms import CaseKind, write_case
from app.processes import apart
from app.run.record import machine_facts

from .cases import KINDS, LARGEST

ROOT = Path(__file__).parents[1]
CASES = {kind.name: kind for kind in (*KINDS, LARGEST) if kind.name in {"2DBox_cells", "3DBox_long", "3DBox_largest"}}


@dataclass(frozen=True)
class Run:
    """One case under one limit."""

    case: str
    limit: str
    seconds: float
    encoder_calls: int
    peak_memory_mib: float

    @property
    def line(self) -> str:
        """Of the Markdown table."""
        return (
            f"| {self.case} | {self.limit} | {self.seconds:.0f} | {self.encoder_calls} | {self.peak_memory_mib:.0f} |"
        )


HEADER = """\
| case | memory limit | seconds | encoder calls | peak MiB |
|---|---|---|---|---|"""


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory")
    parser.add_argument("--model", help="of the manifest; default: its default")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), metavar="NAME", help=", ".join(CASES))
    parser.add_argument("--limits", nargs="+", default=["8GB"], metavar="SIZE")
    parser.add_argument("--json", type=Path, default=Path("outputs/memory.json"))
    options = parser.parse_args()
    model = ["--model", options.model] if options.model else []
    runs = []
    print(HEADER, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in options.cases:
            case = apart(write_case, CASES[name], Path(folder))
            for limit in options.limits:
                runs.append(_run(CASES[name], case, limit, model))
                print(runs[-1].line, flush=True)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine_facts(), "runs": [asdict(run) for run in runs]}
    options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _run(kind: CaseKind, case: Path, limit: str, model: list[str]) -> Run:
    timing = case.with_suffix(".csv")
    arguments = ["-q", "-i", str(case), "-o", str(case.parent / "out"), "--timing", str(timing), *model]
    done = measure([sys.executable, "-m", "app", "predict", *arguments, "--memory-limit", limit], folder=ROOT)
    with timing.open(newline="") as file:
        calls = int(next(csv.DictReader(file))["encoder_calls"])
    return Run(kind.title, limit, done.seconds, calls, done.peak_memory_mib)


if __name__ == "__main__":
    main()
