"""The page's tables: accuracy and time by modality."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from ..scoring.summary import Row, summarise
from .entries import Entry
from .recorded_run import RecordedCase


@dataclass(frozen=True)
class Accuracy:
    """A modality's means with intervals, and the DSC of each of its cases by name."""

    row: Row
    cases: dict[str, float]


@dataclass(frozen=True)
class Timing:
    """Running times of a modality in seconds, and the share of each stage in their sum, 0..1."""

    modality: str
    cases: int
    median: float
    longest: float
    shares: dict[str, float]


def accuracy_by_modality(entries: Sequence[Entry]) -> list[Accuracy]:
    """As `swinlite evaluate` has it, the mean over modalities last; nothing where no truth is known."""
    results = [entry.judged for entry in entries if entry.judged is not None]
    by_modality: dict[str, dict[str, float]] = defaultdict(dict)
    for result in results:
        if result.score is not None and not math.isnan(result.score.dsc):
            by_modality[result.modality][result.name] = result.score.dsc
    return [Accuracy(row, by_modality.get(row.modality, {})) for row in summarise(results)]


def timing_by_modality(entries: Sequence[Entry]) -> list[Timing]:
    """Of the cases that the recorded run has done, pictures first."""
    by_modality: dict[str, list[RecordedCase]] = defaultdict(list)
    for entry in entries:
        if entry.recorded is not None and entry.recorded.outcome == "done":
            by_modality[entry.modality].append(entry.recorded)
    names = sorted(by_modality, key=lambda name: (name.startswith("3D "), name))
    return [_timing(name, by_modality[name]) for name in names]


def _timing(modality: str, recorded: Sequence[RecordedCase]) -> Timing:
    seconds = [case.seconds for case in recorded]
    spent: Counter[str] = Counter()
    for case in recorded:
        spent.update(case.stages)
    total = sum(spent.values()) or 1.0
    shares = {stage: part / total for stage, part in spent.items()}
    return Timing(modality, len(seconds), median(seconds), max(seconds), shares)
