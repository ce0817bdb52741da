"""What a benchmark leaves behind: the challenge's CSV for each system, a JSON of every run, lines of a table."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from .. import __version__
from ..cases.atomic import write_atomically
from ..plain import plain
from ..run.record import machine_facts
from .rounds import CaseTimes, Outcome
from .standard import PUBLISHED, Published
from .systems import System

# Of each column its title and its least width.
_COLUMNS = (
    ("case", 21), ("size", 14), ("objects", 7), ("system", 8), ("seconds", 7), ("least-most", 15), ("to swinlite", 18),
    ("start", 5), ("encode", 6), ("decode", 6), ("rest", 5), ("peak MiB", 8), ("DSC", 6),
)  # fmt: skip
_OTHERS = (("PyTorch", 7), ("ONNX", 6), ("OpenVINO", 8), ("Rep-MedSAM", 10))


@dataclass(frozen=True)
class Setting:
    """How a benchmark is run. where: of swinlite, and why there. limit: how memory is limited, in words."""

    systems: tuple[System, ...]
    where: str
    limit: str
    warm_up: int
    repeats: int


def write_running_times(folder: Path, times: Sequence[CaseTimes]) -> None:
    """`SYSTEM_running_time.csv` as the challenge logs it, `CaseName,RunningTime`: medians in seconds.

    Cases that a system could not segment in every round are left out of its file.
    """
    for system in dict.fromkeys(outcome.system for case in times for outcome in case.outcomes):
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["CaseName", "RunningTime"])
        for case in times:
            for outcome in case.outcomes:
                if outcome.system == system and outcome.fault is None:
                    table.writerow([f"{plain(case.name)}.npz", f"{outcome.seconds:.4f}"])
        with write_atomically(folder / f"{system}_running_time.csv") as file:
            file.write(text.getvalue().encode())


def write_json(path: Path, setting: Setting, times: Sequence[CaseTimes]) -> None:
    """Machine, load, setting and every run's numbers."""
    report: dict[str, Any] = {"swinlite": __version__, "machine": machine_facts(), "load": os.getloadavg()}
    published = {case.name: asdict(PUBLISHED[case.name]) for case in times if case.name in PUBLISHED}
    report |= {"setting": asdict(setting), "cases": [asdict(case) for case in times], "published_seconds": published}
    with write_atomically(path) as file:
        file.write((json.dumps(report, indent=1) + "\n").encode())


def table_head(*, published: bool) -> str:
    """The first two lines of a Markdown table; published: with other systems' columns."""
    columns = _COLUMNS + _OTHERS * published
    return f"{_line([title for title, _ in columns])}\n|{'|'.join('-' * (width + 2) for _, width in columns)}|"


def table_lines(case: CaseTimes, *, published: bool) -> str:
    """A line for each system; the first has what others took."""
    size = "x".join(map(str, case.size or ()))
    facts = [plain(case.name), size, "" if case.objects is None else str(case.objects)]
    lines = []
    for number, outcome in enumerate(case.outcomes):
        others = _others(PUBLISHED.get(case.name) if number == 0 else None) if published else []
        lines.append(_line([*facts, *_cells(outcome, _spread(outcome.ratios) if number else ""), *others]))
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    """The middle one, the least and the most."""
    return f"{median(values):.2f} ({min(values):.2f}-{max(values):.2f})" if values else ""


def _cells(outcome: Outcome, ratio: str) -> list[str]:
    seconds = [run.seconds for run in outcome.runs]
    middle = "failed" if outcome.seconds is None else f"{outcome.seconds:.2f}"
    limits = f"{min(seconds):.2f}-{max(seconds):.2f}" if seconds else ""
    peak = "" if outcome.peak_memory_mib is None else f"{outcome.peak_memory_mib:.0f}"
    dsc = "" if outcome.dsc is None else f"{outcome.dsc:.4f}"
    return [outcome.system, middle, limits, ratio, *_part_cells(outcome.parts), peak, dsc]


def _part_cells(parts: dict[str, float]) -> list[str]:
    if not parts:
        return [""] * 4
    named = [parts["start"], parts["encode"], parts["decode"]]
    return [f"{seconds:.2f}" for seconds in (*named, sum(parts.values()) - sum(named))]


def _others(case: Published | None) -> list[str]:
    if case is None:
        return [""] * len(_OTHERS)
    seconds = (case.pytorch, case.onnx, case.openvino, case.rep_medsam)
    return ["" if one is None else f"{one:g}" for one in seconds]


def _line(cells: Sequence[str]) -> str:
    columns = _COLUMNS + _OTHERS
    return f"| {' | '.join(cell.ljust(width) for cell, (_, width) in zip(cells, columns, strict=False))} |"
