"""Pixels of any numeric type to uint8 grey levels, as the networks expect them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..arrays import AnyArray, ByteArray
from ..errors import CaseError

GreyRule = Callable[[AnyArray], tuple[ByteArray, str | None]]


def to_grey_levels(pixels: AnyArray) -> tuple[ByteArray, str | None]:
    """Convert to uint8 and say in words what was done, or None where nothing needed saying.

    Values in 0..255 are kept (fractions rounded), truth values and floats in 0..1 are multiplied by 255,
    and anything else is scaled linearly from its own extremes. Raises CaseError for values that are not
    numbers, or not finite.
    """
    if pixels.dtype == np.uint8:
        return pixels, None
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255), "imgs are truth values, taken as 0 and 255"
    if pixels.dtype.kind not in "uif":
        raise CaseError(f"imgs has type {pixels.dtype}, expected numbers; save it as uint8 in 0..255")
    low, high = pixels.min(), pixels.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise CaseError(
            f"imgs holds {int(np.count_nonzero(~np.isfinite(pixels)))} values that are NaN or infinite; "
            "replace them, then save it as uint8 in 0..255"
        )
    if pixels.dtype.kind == "f" and low >= 0 and high <= 1:
        return _scaled(pixels, 0.0, 1.0), "imgs are fractions in 0..1, multiplied by 255"
    if low >= 0 and high <= 255:
        return np.rint(pixels).astype(np.uint8), None
    note = (
        f"imgs run from {low:g} to {high:g}, scaled linearly to 0..255; "
        "for CT apply a window first, for MR clip to the 0.5-99.5 percentiles"
    )
    return _scaled(pixels, float(low), float(high)), note


def _scaled(pixels: AnyArray, low: float, high: float) -> ByteArray:
    """Linear from low..high to 0..255, one slice at a time so that no float copy of a volume is made."""
    out = np.empty(pixels.shape, np.uint8)
    for source, target in zip(pixels, out, strict=True):
        # Halves, so that extremes near the type's own limits do not overflow in the difference.
        fraction = (source.astype(np.float64) / 2 - low / 2) / max(high / 2 - low / 2, np.finfo(np.float64).tiny)
        target[...] = np.rint(fraction * 255)
    return out
