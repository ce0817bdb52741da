"""An image and the 256 x 256 frame that the networks see: pixels and boxes there, logits back.

Steps and rounding as in the published inference script: resize the longest side to 256, min-max
normalise, pad with zeros at the bottom and right.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from .arrays import BoolArray, ByteArray, FloatArray, IntArray

SIDE = 256


@dataclass(frozen=True)
class Geometry:
    """Sizes in pixels of an image and of its resized copy in the frame's upper left corner."""

    height: int
    width: int

    @property
    def scale(self) -> float:
        """Frame pixels per image pixel, the same on both axes."""
        return SIDE / max(self.height, self.width)

    @property
    def resized(self) -> tuple[int, int]:
        """Height and width in the frame, rounded half up, at least 1 however extreme the aspect."""
        return max(int(self.height * self.scale + 0.5), 1), max(int(self.width * self.scale + 0.5), 1)

    def box_to_frame(self, box: IntArray) -> IntArray:
        """(4,) x_min, y_min, x_max, y_max in image pixels to frame pixels, truncated."""
        return (box * self.scale).astype(np.int64)

    def mask_to_frame(self, mask: BoolArray) -> BoolArray:
        """(H, W) mask to (256, 256); a frame pixel is set where more than half of it is covered."""
        height, width = self.resized
        small = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_AREA)
        out = np.zeros((SIDE, SIDE), bool)
        out[:height, :width] = small
        return out

    def logits_to_mask(self, logits: FloatArray) -> BoolArray:
        """(256, 256) logits to an (H, W) mask: bilinear to the image's size, then above zero."""
        height, width = self.resized
        full = cv2.resize(logits[:height, :width], (self.width, self.height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(full > 0)


@dataclass(frozen=True)
class Frame:
    """One picture or slice as a network sees it: `pixels` (3, 256, 256) float32 in [0, 1]."""

    pixels: FloatArray
    geometry: Geometry

    @cached_property
    def visible(self) -> BoolArray:
        """(256, 256): brighter than the picture's minimum, hence neither darkest nor padding."""
        return np.asarray(self.pixels.any(axis=0))


def make_frame(picture: ByteArray) -> Frame:
    """(H, W) or (H, W, 3) uint8 to a frame. Grey is normalised once and repeated to three channels."""
    geometry = Geometry(*picture.shape[:2])
    height, width = geometry.resized
    resized = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    low, high = float(resized.min()), float(resized.max())
    normalised = (resized - low) / max(high - low, 1e-8)
    pixels = np.zeros((3, SIDE, SIDE), np.float32)
    pixels[:, :height, :width] = normalised if picture.ndim == 2 else normalised.transpose(2, 0, 1)
    return Frame(pixels, geometry)
