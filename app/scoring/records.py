"""What an evaluation leaves behind: a CSV of every case and label, and a JSON of everything."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from ..cases.atomic import write_atomically
from ..plain import plain
from .folders import CaseResult
from .summary import Row


@dataclass(frozen=True)
class Evaluation:
    """One run of the command. differences: `cases` minus `against`, both empty where nothing was compared."""

    settings: dict[str, Any]
    means: list[Row]
    differences: list[Row]
    cases: list[CaseResult]
    against: list[CaseResult]


def write_csv(path: Path, results: Sequence[CaseResult]) -> None:
    """`case,modality,label,dsc,nsd`: a case's own row with an empty label, then one a label; NaN is empty."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["case", "modality", "label", "dsc", "nsd"])
    for result in results:
        if result.score is not None:
            case = [plain(result.name), plain(result.modality)]
            table.writerow([*case, "", _decimal(result.score.dsc), _decimal(result.score.nsd)])
            table.writerows([*case, s.label, _decimal(s.dsc), _decimal(s.nsd)] for s in result.score.labels)
    with write_atomically(path) as file:
        file.write(text.getvalue().encode())


def write_json(path: Path, evaluation: Evaluation) -> None:
    """Everything that an evaluation found; NaN is null."""
    report = _without_nan({"swinlite": __version__, **asdict(evaluation)})
    with write_atomically(path) as file:
        file.write((json.dumps(report, indent=1, allow_nan=False) + "\n").encode())


def _decimal(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6f}"


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
