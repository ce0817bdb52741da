"""Scores of a label map against the truth: as they should be, and as the challenge's evaluator has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy import ndimage

from ..arrays import LabelArray, Spacing
from .metrics import dsc, nsd

TOLERANCE = 2.0  # mm in volumes, pixels in pictures (published evaluator)
_GATE = 0.2  # published evaluator: NSD counts only above this DSC

_Extent = tuple[slice, ...]


@dataclass(frozen=True)
class LabelScore:
    """DSC and NSD of one object, 0..1, or NaN."""

    label: int
    dsc: float
    nsd: float


@dataclass(frozen=True)
class CaseScore:
    """A case's means and what they are made of; NaN where there is nothing to score."""

    labels: tuple[LabelScore, ...]
    dsc: float
    nsd: float


def score_honest(truth: LabelArray, found: LabelArray, spacing_mm: Spacing | None = None) -> CaseScore:
    """Mean over the labels that truth or prediction has; one that only one of them has scores 0.

    truth, found: (H, W), or (D, H, W) with spacing_mm (z, y, x). A picture's NSD is that of its contours.
    """
    extents = _extents(truth, found)
    spacing = spacing_mm if spacing_mm is not None else (1.0,) * truth.ndim
    scores = [_score_label(truth, found, label, extent, spacing) for label, extent in sorted(extents.items())]
    return CaseScore(tuple(scores), _mean([score.dsc for score in scores]), _mean([score.nsd for score in scores]))


def score_challenge(truth: LabelArray, found: LabelArray, spacing: Spacing | None = None) -> CaseScore:
    """What the published evaluator gives (CVPR 2024, compute_metrics.py), odd as it is.

    Every label from 1 to the truth's largest counts, NaN where neither has it; a picture (H, W) is a sheet one
    voxel thick; spacing is taken as stored; the case's NSD is 0 unless its DSC is above 0.2, a label's is not.
    """
    if truth.ndim == 2:
        return score_challenge(truth[..., None], found[..., None], (1.0, 1.0, 1.0))
    extents = _extents(truth, found)
    spacing = spacing if spacing is not None else (1.0, 1.0, 1.0)
    nowhere = (slice(0, 0),) * truth.ndim
    labels = range(1, int(truth.max(initial=0)) + 1)
    scores = [_score_label(truth, found, label, extents.get(label, nowhere), spacing) for label in labels]
    mean_dsc = _mean([score.dsc for score in scores])
    mean_nsd = _mean([score.nsd for score in scores]) if mean_dsc > _GATE else 0.0
    return CaseScore(tuple(scores), mean_dsc, mean_nsd)


def _score_label(
    truth: LabelArray, found: LabelArray, label: int, extent: _Extent, spacing: tuple[float, ...]
) -> LabelScore:
    masks = truth[extent] == label, found[extent] == label
    return LabelScore(label, dsc(*masks), nsd(*masks, spacing, TOLERANCE))


def _extents(truth: LabelArray, found: LabelArray) -> dict[int, _Extent]:
    """The smallest box around each label that truth or prediction has, both together."""
    extents: dict[int, _Extent] = {}
    for labels in (truth, found):
        for label, extent in enumerate(ndimage.find_objects(labels), start=1):
            if extent is not None:
                extents[label] = _hull(extents.get(label, extent), extent)
    return extents


def _hull(one: _Extent, other: _Extent) -> _Extent:
    return tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")
