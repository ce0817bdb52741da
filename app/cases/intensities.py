"""Pixels of any numeric type to uint8 grey levels, as the networks expect them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..arrays import AnyArray, ByteArray
from ..errors import CaseError, InputError

GreyRule = Callable[[AnyArray], tuple[ByteArray, str | None]]

_PERCENTILES = 0.5, 99.5  # as the challenge's converters
_BELOW_ALL_BUT_CT = -500


@dataclass(frozen=True)
class Window:
    """What of a CT is shown: `width` Hounsfield units about `level`."""

    level: float
    width: float

    @property
    def bounds(self) -> tuple[float, float]:
        return self.level - self.width / 2, self.level + self.width / 2


# The settings usual in radiology; abdomen is what the challenge's converter takes.
WINDOWS = {
    "abdomen": Window(40, 400),
    "bone": Window(400, 1800),
    "brain": Window(40, 80),
    "lung": Window(-600, 1500),
    "mediastinum": Window(50, 350),
}


@dataclass(frozen=True)
class GreyScale:
    """How the user wants values that are no grey levels yet to be scaled; by default as the file's modality asks.

    modality: as DICOM names it, stronger than what the file says. window: stronger than either.
    """

    modality: str | None = None
    window: Window | None = None

    def rule(self, modality: str | None) -> GreyRule:
        """The rule for a file that says it is of `modality`."""
        window, known = self.window, self.modality or modality
        if known == "CT" and window is None:
            window = WINDOWS["abdomen"]
        return lambda values: to_scaled_levels(values, window, known)

    def rule_for_npz(self) -> GreyRule:
        """The challenge's files hold 0..255, which is kept; other values are scaled as wished, if anything is."""
        if self == AS_IT_SAYS:
            return to_grey_levels
        scaled = self.rule(None)
        return lambda values: to_grey_levels(values) if 0 <= values.min() <= values.max() <= 255 else scaled(values)


AS_IT_SAYS = GreyScale()


def parse_window(text: str) -> Window:
    """NAME or LEVEL,WIDTH. Raises InputError."""
    if text in WINDOWS:
        return WINDOWS[text]
    try:
        level, width = (float(number) for number in text.split(","))
    except ValueError:
        level, width = np.nan, np.nan
    if not (np.isfinite(level) and 0 < width < np.inf):
        raise InputError(f"--window {text}: expected one of {', '.join(WINDOWS)}, or LEVEL,WIDTH such as 40,400")
    return Window(level, width)


def to_scaled_levels(values: AnyArray, window: Window | None, modality: str | None) -> tuple[ByteArray, str | None]:
    """Scale to uint8 by a window, or else by the 0.5-99.5 percentiles of what is not 0; say in words what was assumed.

    uint8 is kept. NaN, which files have outside the field of view, becomes black. Raises CaseError for values that
    are not numbers, or all NaN.
    """
    if values.dtype == np.uint8 or values.dtype.kind not in "uif":
        return to_grey_levels(values)
    known = np.isfinite(values)
    finite = values if known.all() else values[known]
    if not finite.size:
        raise CaseError("holds no number but NaN or infinite ones; nothing can be seen in it")
    notes = []
    if finite.size < values.size:
        notes.append(f"{values.size - finite.size} values are NaN or infinite, taken as background")
    low, high = window.bounds if window else _percentiles(finite)
    if window is None and modality is None and finite.min() < _BELOW_ALL_BUT_CT:
        notes.append(
            f"values from {finite.min():g} to {finite.max():g} look like CT, scaled from {low:g} to {high:g} by "
            "percentiles; for a CT give --modality CT or --window"
        )
    return _scaled(values, low, high), "; ".join(notes) or None


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


def _percentiles(values: AnyArray) -> tuple[float, float]:
    """Of what is not 0; where that leaves one value, the extremes of all."""
    coloured = values[values != 0]
    low, high = np.percentile(coloured, _PERCENTILES, overwrite_input=True).tolist() if coloured.size else (0.0, 0.0)
    return (low, high) if low < high else (float(values.min()), float(values.max()))


def _scaled(pixels: AnyArray, low: float, high: float) -> ByteArray:
    """Linear from low..high to 0..255, clipped, what is not finite to 0.

    One slice at a time, so that no float copy of a volume is made.
    """
    out = np.empty(pixels.shape, np.uint8)
    for source, target in zip(pixels, out, strict=True):
        # Halves, so that extremes near the type's own limits do not overflow in the difference.
        fraction = (source.astype(np.float64) / 2 - low / 2) / max(high / 2 - low / 2, np.finfo(np.float64).tiny)
        target[...] = np.rint(np.clip(np.nan_to_num(fraction, nan=0, posinf=0, neginf=0), 0, 1) * 255)
    return out
