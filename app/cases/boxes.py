"""Boxes as people give them, made into boxes that can be segmented."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import BoolArray, IntArray
from ..errors import CaseError

COORDINATES = {
    4: ("x_min", "y_min", "x_max", "y_max"),
    6: ("x_min", "y_min", "z_min", "x_max", "y_max", "z_max"),
}
_FAR = 2**31
_BOXES_NAMED = 5  # in one message


def as_boxes(raw: ArrayLike) -> IntArray:
    """Any array of whole numbers to (N, 4) or (N, 6) int64; a single box may come as (4,) or (6,).

    Raises CaseError that names the box and the value which is not a whole number.
    """
    boxes = np.asarray(raw)
    if boxes.ndim == 1 and boxes.size in COORDINATES:
        boxes = boxes[None]
    if boxes.ndim == 1 and boxes.size == 0:
        boxes = boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] not in COORDINATES:
        raise CaseError(f"boxes has shape {boxes.shape}, expected (N, 4) for a picture or (N, 6) for a volume")
    if boxes.dtype.kind not in "uif":
        raise CaseError(f"boxes has type {boxes.dtype}, expected whole numbers")
    if boxes.dtype.kind == "f":  # float16 holds no number as large as the bounds
        boxes = boxes.astype(np.result_type(boxes, np.float64))
    wrong = ~((boxes >= -_FAR) & (boxes <= _FAR) & (boxes == np.trunc(boxes)))
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        name = COORDINATES[boxes.shape[1]][column]
        raise CaseError(
            f"box {row + 1}: {name} is {boxes[row, column]}, expected a whole number of pixels; "
            f"{int(wrong.any(axis=1).sum())} of {len(boxes)} boxes have such values"
        )
    return boxes.astype(np.int64)


def fit_boxes(boxes: IntArray, extent: tuple[int, ...]) -> tuple[IntArray, BoolArray, list[str]]:
    """Order swapped corners and clip to the image; say each change.

    boxes: (N, 2 * axes) as minima then maxima. extent: (W, H) or (W, H, D) in the same axis order.
    Returns the boxes, which of them touch the image at all (N,), and notes for the user. In x and y the
    far edge (W, H) itself is allowed, as tools differ on whether a maximum is inclusive; z_max is inclusive.
    """
    axes = len(extent)
    low = np.minimum(boxes[:, :axes], boxes[:, axes:])
    high = np.maximum(boxes[:, :axes], boxes[:, axes:])
    size = np.array(extent, np.int64)
    inside: BoolArray = np.all((low < size) & (high >= 0), axis=1)
    furthest = size - np.array([0, 0, 1], np.int64)[:axes]
    fitted = np.concatenate([np.clip(low, 0, furthest), np.clip(high, 0, furthest)], axis=1)
    swapped: BoolArray = np.any(low != boxes[:, :axes], axis=1)
    clipped: BoolArray = np.any(fitted != np.concatenate([low, high], axis=1), axis=1)
    # z_min = z_max is one slice, but a box without width or height holds no pixel for certain
    flat: BoolArray = np.any(low[:, :2] == high[:, :2], axis=1)
    where = " x ".join(str(n) for n in extent)
    notes = [
        f"{_numbers(changed)}: {what}"
        for changed, what in (
            (swapped, "corners were swapped, put in order"),
            (~inside, f"lies wholly outside the image of {where}, left empty"),
            (clipped & inside, f"reached beyond the image of {where}, clipped"),
            (flat & inside, "has no width or no height, segmented all the same"),
        )
        if changed.any()
    ]
    return fitted, inside, notes


def _numbers(chosen: BoolArray) -> str:
    numbers = [str(i + 1) for i in np.flatnonzero(chosen)]
    more = f" and {len(numbers) - _BOXES_NAMED} more" if len(numbers) > _BOXES_NAMED else ""
    return ("box " if len(numbers) == 1 else "boxes ") + ", ".join(numbers[:_BOXES_NAMED]) + more
