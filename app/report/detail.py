"""How large and how many pictures a page may hold, and how fine its outlines, so that it stays within its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ..arrays import ByteArray

PAGE_BYTES = 18_500_000  # of pictures and outlines, as text in the page
_TEXT_A_BYTE = 4 / 3  # base64
# Measured on the 207 cases of the validation set.
_BYTES_A_PIXEL = 0.12  # at the best quality
_PROMPT_TEXT = 200  # of an object on one panel
_OUTLINE_TEXT = 900  # the same, mask and truth together, true to a unit; half as much at two units
_QUALITIES = (80, 60, 40, 20)
_SMALLEST_FILE = 512  # bytes


@dataclass(frozen=True)
class Extent:
    """What there is to show of a case: pictures or slices of height x width pixels, and objects on all of them.

    slices: those that a volume's boxes reach; 1 for a picture. objects: an object counts once a slice.
    """

    height: int
    width: int
    slices: int
    objects: int
    volume: bool


@dataclass(frozen=True)
class Detail:
    """Longest sides in pixels of a picture and of a volume's slice, and the most slices of a volume.

    tolerance: how true outlines are, in the page's units. bytes_a_pixel: a picture's share of the page.
    """

    picture_side: int
    slice_side: int
    slices: int
    tolerance: float
    bytes_a_pixel: float = float("inf")

    def scale(self, extent: Extent) -> float:
        """Shown pixels a pixel, at most 1."""
        side = self.slice_side if extent.volume else self.picture_side
        return min(1.0, side / max(extent.height, extent.width))

    def pixels(self, extent: Extent) -> float:
        """Pixels that are shown of a case."""
        return extent.height * extent.width * self.scale(extent) ** 2 * min(extent.slices, self.slices)

    def text(self, extent: Extent) -> float:
        """Bytes of the outlines of a case, about."""
        shown = extent.objects * min(1.0, self.slices / extent.slices)
        return shown * (_PROMPT_TEXT + _OUTLINE_TEXT / self.tolerance)


_DETAILS = (
    Detail(1024, 512, 240, 1.0),
    Detail(768, 448, 120, 1.0),
    Detail(512, 320, 64, 1.0),
    Detail(448, 256, 40, 1.5),
    Detail(384, 224, 24, 2.0),
    Detail(320, 160, 16, 2.5),
    Detail(224, 128, 8, 3.0),
)
_LEAST_FOR_PICTURES = 0.2  # of the page, however many objects there are


def choose_detail(extents: Sequence[Extent]) -> Detail:
    """The most detail that all cases together leave room for, with each pixel's share of the bytes."""
    for detail in _DETAILS:
        pixels = sum(detail.pixels(extent) for extent in extents)
        text = sum(detail.text(extent) for extent in extents)
        room = max(PAGE_BYTES - text, _LEAST_FOR_PICTURES * PAGE_BYTES) / _TEXT_A_BYTE
        if text < PAGE_BYTES and pixels * _BYTES_A_PIXEL <= room:
            break
    return replace(detail, bytes_a_pixel=room / max(pixels, 1))


def encode_picture(picture: ByteArray, detail: Detail) -> bytes:
    """WebP of (H, W, 3), blue first, at the best quality that its share of the bytes allows."""
    allowed = _SMALLEST_FILE + detail.bytes_a_pixel * picture.shape[0] * picture.shape[1]
    encoded = b""
    for quality in _QUALITIES:
        encoded = np.asarray(cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, quality])[1]).tobytes()
        if len(encoded) <= allowed:
            break
    return encoded
