"""How alike two masks are: DSC by volume, NSD by surface."""

from __future__ import annotations

import numpy as np

from ..arrays import BoolArray, LabelArray
from .surface import areas_by_code, corner_codes, is_surface, near


def dsc(truth: BoolArray, found: BoolArray) -> float:
    """Dice similarity coefficient of two masks of one shape: 2 |both| / (|truth| + |found|); NaN if both are empty."""
    total = int(np.count_nonzero(truth)) + int(np.count_nonzero(found))
    return 2 * int(np.count_nonzero(truth & found)) / total if total else float("nan")


def mean_dice(a: LabelArray, b: LabelArray) -> float:
    """DSC of two label maps of one shape, the mean over the labels that either has; NaN if there is none."""
    both, in_a, in_b = (np.bincount(labels.ravel(), minlength=1 << 16) for labels in (a[a == b], a, b))
    total = (in_a + in_b)[1:]
    held = total > 0
    return float(np.mean(2 * both[1:][held] / total[held])) if held.any() else float("nan")


def nsd(truth: BoolArray, found: BoolArray, spacing_mm: tuple[float, ...], tolerance_mm: float) -> float:
    """Normalised surface dice: the share of both surfaces that lies within the tolerance of the other.

    truth, found: masks of one shape, (D, H, W) or (H, W), best cropped to what they hold; a voxel at the border
    has background beyond it. spacing_mm: in the order of the axes; with 1 a pixel the tolerance is in pixels.
    0 if one mask is empty, NaN if both are.
    """
    if not (truth.any() and found.any()):
        return 0.0 if truth.any() or found.any() else float("nan")
    codes = [corner_codes(mask) for mask in (truth, found)]
    surfaces = [is_surface(code) for code in codes]
    areas = [areas_by_code(spacing_mm)[code[surface]] for code, surface in zip(codes, surfaces, strict=True)]
    close = [near(own, other, spacing_mm, tolerance_mm) for own, other in (surfaces, surfaces[::-1])]
    shared = sum(float(area[kept].sum()) for area, kept in zip(areas, close, strict=True))
    return shared / sum(float(area.sum()) for area in areas)
