"""Four points from a box, one a quadrant (published inference script; paper section 2.2)."""

from __future__ import annotations

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from .rules import PromptRule, point_shift


def draw_points(box: IntArray, visible: BoolArray, rule: PromptRule, rng: np.random.Generator) -> FloatArray:
    """Four foreground points (4, 2) as (x, y) in the frame, all on visible pixels of the shrunk box.

    box: (4,) in the frame. visible: (256, 256). Quadrants in the order upper left, lower left, lower
    right, upper right; one without a visible pixel gives the centre of the box.
    """
    x0, y0, x1, y1 = (int(v) for v in box)
    shift_x = point_shift(x1 - x0, rule, rng)
    shift_y = point_shift(y1 - y0, rule, rng)
    middle_x, middle_y = (x0 + x1) // 2, (y0 + y1) // 2
    left, right = slice(x0 + shift_x, middle_x), slice(middle_x, max(x1 - shift_x, middle_x))
    upper, lower = slice(y0 + shift_y, middle_y), slice(middle_y, max(y1 - shift_y, middle_y))
    points = np.full((4, 2), (middle_x, middle_y), np.float32)
    for point, (rows, columns) in zip(
        points, ((upper, left), (lower, left), (lower, right), (upper, right)), strict=True
    ):
        candidates = np.argwhere(visible[rows, columns])
        if len(candidates):
            y, x = candidates[rng.integers(len(candidates))]
            point[:] = columns.start + x, rows.start + y
    return points
