"""Means by modality with their uncertainty, of one set of results or of the difference of two."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import DoubleArray
from .folders import CaseResult

_RESAMPLES = 2000
_SEED = 0
_MEAN = "mean"


@dataclass(frozen=True)
class Estimate:
    """A mean and its 95 % bootstrap interval over cases; NaN without cases, no wider than a point with one."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """One modality, or the mean over all of them, each counted once."""

    modality: str
    cases: int
    dsc: Estimate
    nsd: Estimate


def summarise(results: Sequence[CaseResult]) -> list[Row]:
    """Mean DSC and NSD by modality, then over modalities. A case without a number (NaN) is left out of its mean."""
    return _rows((result.modality, s.dsc, s.nsd) for result in results if (s := result.score) is not None)


def compare(results: Sequence[CaseResult], others: Sequence[CaseResult]) -> list[Row]:
    """Mean differences, `results` minus `others` case by case, by modality, then over modalities."""
    of_others = {other.name: other.score for other in others}
    pairs = ((result.modality, result.score, of_others.get(result.name)) for result in results)
    return _rows((modality, a.dsc - b.dsc, a.nsd - b.nsd) for modality, a, b in pairs if a and b)


@dataclass(frozen=True)
class _Sample:
    """The mean of some numbers and the means of the same drawn again, (resamples,)."""

    mean: float
    resampled: DoubleArray

    @classmethod
    def of(cls, values: DoubleArray, rng: np.random.Generator) -> _Sample:
        numbers = values[~np.isnan(values)]
        count = len(numbers)
        if count == 0:
            return cls(float("nan"), np.full(_RESAMPLES, np.nan))
        times_drawn = rng.multinomial(count, np.full(count, 1 / count), _RESAMPLES)
        return cls(float(numbers.mean()), times_drawn @ numbers / count)

    @classmethod
    def mean_over(cls, samples: Sequence[_Sample]) -> _Sample:
        known = [sample for sample in samples if not np.isnan(sample.mean)] or samples
        mean = sum(sample.mean for sample in known) / len(known)
        return cls(mean, np.mean([sample.resampled for sample in known], axis=0))

    def estimate(self) -> Estimate:
        low, high = np.quantile(self.resampled, (0.025, 0.975))
        return Estimate(self.mean, float(low), float(high))


def _rows(points: Iterable[tuple[str, float, float]]) -> list[Row]:
    """From modality, DSC and NSD (or their differences) of each case; nothing from nothing."""
    by_modality: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for modality, dsc, nsd in points:
        by_modality[modality].append((dsc, nsd))
    rng = np.random.default_rng(_SEED)
    names = sorted(by_modality, key=lambda name: (name.startswith("3D "), name))
    columns = [[_Sample.of(np.array(by_modality[name])[:, i], rng) for name in names] for i in (0, 1)]
    counts = [len(by_modality[name]) for name in names]
    rows = [_row(*parts) for parts in zip(names, counts, *columns, strict=True)]
    return [*rows, _row(_MEAN, sum(counts), *map(_Sample.mean_over, columns))] if rows else []


def _row(name: str, cases: int, dsc: _Sample, nsd: _Sample) -> Row:
    return Row(name, cases, dsc.estimate(), nsd.estimate())
