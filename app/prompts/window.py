"""Where on the frame a prompt's mask may lie; nothing is decoded elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..frame import SIDE
from .prompt import Prompt

EMBEDDING_SIDE = 64
OUTSIDE = -32.0  # logit of what is not decoded
_PIXEL = SIDE // EMBEDDING_SIDE  # a pixel of the embedding is 4 x 4 of the frame
_STEP = 4  # sizes are rounded up to multiples, since an engine prepares itself anew for each size


@dataclass(frozen=True)
class Windows:
    """A rectangle on the embedding's 64 x 64 pixels for each of N prompts.

    low, high: (N, 2) int64 as (x, y), high exclusive. For an engine's sake as many pixels are decoded for every prompt
    as the largest window needs, but a mask ends where its own window does, whatever else is decoded beside it.
    """

    low: IntArray
    high: IntArray

    @cached_property
    def _size(self) -> tuple[int, int]:
        """Width and height that are decoded."""
        width, height = (-(-(self.high - self.low).max(axis=0) // _STEP) * _STEP).tolist()
        return width, height

    @cached_property
    def _corner(self) -> IntArray:
        """(N, 2), where decoding begins."""
        corner: IntArray = np.minimum(self.low, EMBEDDING_SIDE - np.array(self._size))
        return corner

    @property
    def pixels(self) -> IntArray:
        """(N, P) numbers of the pixels to decode, counted row by row over the embedding."""
        width, height = self._size
        columns, rows = self._corner[:, :1] + np.arange(width), self._corner[:, 1:] + np.arange(height)
        return (rows[:, :, None] * EMBEDDING_SIDE + columns[:, None, :]).reshape(len(rows), -1)

    @property
    def inside(self) -> BoolArray:
        """(N, 256, 256), the windows on the frame."""
        inside: BoolArray = self.place(np.zeros((*self.pixels.shape, 16), np.float32)) == 0
        return inside

    def place(self, logits: FloatArray) -> FloatArray:
        """Logits (N, P, 16) of the pixels' 2 x 2 parts of 2 x 2 parts, in the frame (N, 256, 256)."""
        width, height = self._size
        tiles = logits.reshape(-1, height, width, 2, 2, 2, 2).transpose(0, 1, 3, 5, 2, 4, 6)
        decoded = tiles.reshape(-1, _PIXEL * height, _PIXEL * width)
        frames = np.full((len(decoded), SIDE, SIDE), OUTSIDE, np.float32)
        for frame, part, low, high, corner in zip(frames, decoded, self.low, self.high, self._corner, strict=True):
            (left, top), (right, bottom), (x, y) = _PIXEL * low, _PIXEL * high, _PIXEL * corner
            frame[top:bottom, left:right] = part[top - y : bottom - y, left - x : right - x]
        return frames


def windows_around(prompts: Sequence[Prompt], margin: float) -> Windows:
    """The prompts' boxes widened on each side by `margin` times their longer side."""
    boxes = np.stack([prompt.box for prompt in prompts])
    reach = margin * (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True)
    low = np.clip((boxes[:, :2] - reach) // _PIXEL, 0, EMBEDDING_SIDE - 1).astype(np.int64)
    high = np.clip((boxes[:, 2:] + reach) // _PIXEL, 0, EMBEDDING_SIDE - 1).astype(np.int64) + 1
    return Windows(low, high)
