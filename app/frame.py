"""An image and the 256 x 256 frame that the networks see: pixels and boxes there, logits back.

Steps and rounding as in the published inference script: resize the longest side to 256, min-max
normalise, pad with zeros at the bottom and right.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from .arrays import BoolArray, ByteArray, FloatArray, IntArray, LabelArray

SIDE = 256


@dataclass(frozen=True)
class PlacedMask:
    """Part of an (H, W) mask: `pixels` (h, w) fill the rows and columns of `window`, all others are unset."""

    window: tuple[slice, slice]
    pixels: BoolArray

    def paint(self, labels: LabelArray, label: int) -> None:
        """Set the mask's pixels in a label map (H, W). The larger label wins, as if painted one after the other."""
        part = labels[self.window]
        np.maximum(part, self.pixels * labels.dtype.type(label), out=part)


@dataclass(frozen=True)
class _Stretch:
    """Pixels of an image's axis, and between which two pixels of the frame each of them lies.

    pixels: of the image. sources: of the frame, those that `pixels` lie among. before: (n,) the first of
    the two, counted from the start of `sources`. fraction: (n,) float32, the way on to the second.
    """

    pixels: slice
    sources: slice
    before: IntArray
    fraction: FloatArray

    def near(self, first: int, last: int) -> _Stretch:
        """The pixels of a whole axis that frame pixels `first` to `last` inclusive have a part in."""
        start, stop = np.searchsorted(self.before, first - 1), np.searchsorted(self.before, last, side="right")
        pixels, sources = slice(int(start), int(stop)), slice(max(first - 1, 0), last + 2)
        return _Stretch(pixels, sources, self.before[pixels] - sources.start, self.fraction[pixels])

    def interpolate(self, values: FloatArray, axis: int) -> FloatArray:
        """Linear along one axis, 0 or 1, of (sources, m) or (m, sources). What is nowhere positive stays so."""
        after = np.minimum(self.before + 1, values.shape[axis] - 1)
        start, between = values.take(self.before, axis), values.take(after, axis)
        between -= start
        between *= self.fraction if axis else self.fraction[:, None]
        between += start
        return between


def _whole_axis(length: int, resized: int) -> _Stretch:
    """An image's axis of `length` pixels over `resized` of the frame's; centres lie as in OpenCV's resize."""
    position = np.clip((np.arange(length) + 0.5) * resized / length - 0.5, 0, resized - 1)
    before = position.astype(np.int64)
    return _Stretch(slice(0, length), slice(0, resized), before, (position - before).astype(np.float32))


@dataclass(frozen=True)
class Geometry:
    """Sizes in pixels of an image and of its resized copy in the frame's upper left corner.

    pixel_height: of the image's pixels, in widths of them; the frame's are square.
    """

    height: int
    width: int
    pixel_height: float = 1.0

    @property
    def scale(self) -> tuple[float, float]:
        """Frame pixels per image pixel, down and across."""
        across = SIDE / max(self.height * self.pixel_height, self.width)
        return across * self.pixel_height, across

    @property
    def resized(self) -> tuple[int, int]:
        """Height and width in the frame, rounded half up, at least 1 however extreme the aspect."""
        down, across = self.scale
        return max(int(self.height * down + 0.5), 1), max(int(self.width * across + 0.5), 1)

    def box_to_frame(self, box: IntArray) -> IntArray:
        """(4,) x_min, y_min, x_max, y_max in image pixels to frame pixels, truncated."""
        down, across = self.scale
        return (box * (across, down, across, down)).astype(np.int64)

    def mask_to_frame(self, mask: PlacedMask) -> BoolArray:
        """The mask in the frame (256, 256), where a pixel is set when more than half of it is covered."""
        height, width = self.resized
        small = cv2.resize(self.whole(mask).view(np.uint8), (width, height), interpolation=cv2.INTER_AREA)
        out = np.zeros((SIDE, SIDE), bool)
        out[:height, :width] = small
        return out

    def logits_to_mask(self, logits: FloatArray) -> PlacedMask:
        """(256, 256) logits to a mask: bilinear to the image's size, then above zero.

        Only pixels beside a positive logit are computed, as no other can be set; bit for bit what
        enlarging everything would give.
        """
        height, width = self.resized
        x, y, columns, rows = cv2.boundingRect((logits[:height, :width] > 0).view(np.uint8))
        across, down = self._columns.near(x, x + columns - 1), self._rows.near(y, y + rows - 1)
        widened = across.interpolate(logits[down.sources, across.sources], axis=1)
        return PlacedMask((down.pixels, across.pixels), down.interpolate(widened, axis=0) > 0)

    def whole(self, mask: PlacedMask) -> BoolArray:
        """(H, W), the mask in its place."""
        out = np.zeros((self.height, self.width), bool)
        out[mask.window] = mask.pixels
        return out

    @cached_property
    def _rows(self) -> _Stretch:
        return _whole_axis(self.height, self.resized[0])

    @cached_property
    def _columns(self) -> _Stretch:
        return _whole_axis(self.width, self.resized[1])


@dataclass(frozen=True)
class Frame:
    """One picture or slice as a network sees it: `pixels` (3, 256, 256) float32 in [0, 1]."""

    pixels: FloatArray
    geometry: Geometry

    @cached_property
    def visible(self) -> BoolArray:
        """(256, 256): brighter than the picture's minimum, hence neither darkest nor padding."""
        return np.asarray(self.pixels.any(axis=0))


def make_frame(picture: ByteArray, pixel_height: float = 1.0) -> Frame:
    """(H, W) or (H, W, 3) uint8 to a frame. Grey is normalised once and repeated to three channels.

    pixel_height: of the picture's pixels, in widths of them.
    """
    geometry = Geometry(picture.shape[0], picture.shape[1], pixel_height)
    height, width = geometry.resized
    resized = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    low, high = float(resized.min()), float(resized.max())
    normalised = (resized - low) / max(high - low, 1e-8)
    pixels = np.zeros((3, SIDE, SIDE), np.float32)
    pixels[:, :height, :width] = normalised if picture.ndim == 2 else normalised.transpose(2, 0, 1)
    return Frame(pixels, geometry)
