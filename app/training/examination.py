"""How good a student is while it learns: whole cases segmented as in use, scored as `swinlite evaluate` scores."""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from ..arrays import LabelArray, Spacing
from ..cases.atomic import write_atomically
from ..cases.case import Case
from ..cases.challenge import read_case, read_spacing, read_truth
from ..cases.discover import find_cases
from ..engines.torch_engine import TorchEngine
from ..errors import InputError
from ..scoring.folders import modality_of
from ..scoring.protocols import CaseScore, score_honest
from ..segment.clock import StageClock
from ..segment.segmenter import Segmenter
from ..threads import available_threads
from ..weights.load import LoadedWeights

INDEX = "index.csv"  # beside the cases: columns `case` and `dataset`
MARKS = "marks.csv"
SEEN_OR_NOT = ("unseen", "seen")


@dataclass(frozen=True)
class Mark:
    """What a model reaches after `step` steps: the mean of `measure` over the cases of a group."""

    step: int
    model: str
    group: str
    cases: int
    measure: str
    value: float


class Marks:
    """The marks of a run, kept in `marks.csv`; a run that is gone on with adds to them."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / MARKS
        self._rows = list(_read(self._path))

    def __bool__(self) -> bool:
        return bool(self._rows)

    def add(self, marks: Iterable[Mark]) -> None:
        """Add and write, atomically. Raises OSError."""
        self._rows += marks
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow([field.name for field in fields(Mark)])
        writer.writerows([*astuple(mark)[:-1], f"{mark.value:.4f}"] for mark in self._rows)
        with write_atomically(self._path) as file:
            file.write(table.getvalue().encode())


def _read(path: Path) -> Iterator[Mark]:
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            for step, model, group, cases, measure, value in list(csv.reader(file))[1:]:
                yield Mark(int(step), model, group, int(cases), measure, float(value))


@dataclass(frozen=True)
class _Task:
    case: Case
    truth: LabelArray
    spacing: Spacing | None
    groups: tuple[str, ...]


class Examination:
    """Cases with truth that were kept out of training.

    Groups are modalities, and with an index beside the cases also `seen` and `unseen`: whether pictures of the
    same data set were trained on. Raises CaseError and InputError.
    """

    def __init__(self, sources: Sequence[Path], trained_on: frozenset[str]) -> None:
        self._tasks = [_task(path, _datasets(path.parent), trained_on) for path in find_cases(sources)]

    def mark(self, step: int, weights: LoadedWeights) -> list[Mark]:
        """Segment every case and score it: DSC and NSD by group, and their means over modalities."""
        segmenter = Segmenter(TorchEngine(weights, available_threads()))
        scores: dict[str, list[CaseScore]] = defaultdict(list)
        for task in self._tasks:
            found = segmenter.segment_case(task.case, StageClock())
            score = score_honest(task.truth, found, task.spacing)
            for group in task.groups:
                scores[group].append(score)
        marks = []
        for measure in ("dsc", "nsd"):
            means = {group: _mean([getattr(score, measure) for score in scores[group]]) for group in sorted(scores)}
            marks += [Mark(step, weights.name, group, len(scores[group]), measure, m) for group, m in means.items()]
            over = [m for group, m in means.items() if group not in SEEN_OR_NOT]
            marks.append(Mark(step, weights.name, "mean over modalities", len(self._tasks), measure, _mean(over)))
        return marks


def _task(path: Path, datasets: dict[str, str], trained_on: frozenset[str]) -> _Task:
    case, truth = read_case(path), read_truth(path)
    if truth is None:
        raise InputError(f"{path}: has no gts; an examination needs cases with their truth")
    groups = [modality_of(case.name, volume=case.is_volume)]
    if case.name in datasets:
        groups.append(SEEN_OR_NOT[datasets[case.name] in trained_on])
    return _Task(case, truth, read_spacing(path) if case.is_volume else None, tuple(groups))


def _datasets(folder: Path) -> dict[str, str]:
    path = folder / INDEX
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        table = csv.DictReader(file)
        if not {"case", "dataset"} <= set(table.fieldnames or ()):
            raise InputError(
                f"{path}: expected the columns case and dataset, found {table.fieldnames}; mend or move it"
            )
        return {row["case"]: row["dataset"] for row in table}


def _mean(values: Sequence[float]) -> float:
    """Without the cases that have no object and so no score (NaN), as `swinlite evaluate` has it."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
