"""What flows through swinlite: one case, a picture or a volume with boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, ByteArray, IntArray, LabelArray, Spacing

LARGEST_LABEL = 65535  # in a label map that is read: 16 bit


@dataclass(frozen=True)
class Case:
    """One picture or volume and the boxes drawn on it.

    image: uint8; pictures (H, W) or (H, W, 3), volumes (D, H, W) or (D, H, W, 3).
    boxes: int64 in original pixels, clipped and ordered; pictures (N, 4) as x_min, y_min, x_max, y_max,
        volumes (N, 6) as x_min, y_min, z_min, x_max, y_max, z_max with z_max inclusive.
    inside: (N,) bool, False for a box wholly outside the image, which gets an empty object.
    notes: what was changed or assumed while reading, in words for the user.
    spacing_mm: (z, y, x) of a volume as the file states it, None where it does not.
    """

    name: str
    image: ByteArray
    boxes: IntArray
    inside: BoolArray
    notes: tuple[str, ...] = ()
    spacing_mm: Spacing | None = None

    @property
    def is_volume(self) -> bool:
        return self.boxes.shape[1] == 6

    @property
    def slices(self) -> int:
        """Number of slices; 1 for a picture."""
        return self.image.shape[0] if self.is_volume else 1


def empty_labels(shape: tuple[int, ...], objects: int) -> LabelArray:
    """An all-background label map in the narrowest unsigned type that holds `objects` labels."""
    for dtype in (np.uint8, np.uint16):
        if objects <= np.iinfo(dtype).max:
            return np.zeros(shape, dtype)
    return np.zeros(shape, np.uint32)
