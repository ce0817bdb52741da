"""Frames in the order of their places in the patient, and the affine of the volume that they make."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...arrays import AnyArray, DoubleArray
from ...errors import CaseError
from .frames import Frame, Place

TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])  # from DICOM's LPS
_SAME_PLACE_MM = 1e-3
# Positions are often written with one decimal: slices 0.625 mm apart then lie 0.6 and 0.7 mm apart.
_UNEVEN_MM, _UNEVEN_PART = 0.15, 0.05
_ALIKE = 1e-3  # of directions, whose parts are cosines, and of pixel spacings in mm


def stack(frames: Sequence[Frame]) -> tuple[list[Frame], DoubleArray]:
    """Two frames or more, sorted along their normal, with the affine (4, 4) from (column, row, slice) to RAS+ mm.

    The slices of a tilted gantry are shifted beside lying one upon the other; the affine keeps the shear.
    Raises CaseError where they make no volume: without places, unlike each other, missing, or several at a place.
    """
    places = [frame.place for frame in frames if frame.place is not None]
    if len(places) < len(frames):
        raise CaseError(
            f"{len(frames) - len(places)} of {len(frames)} pictures state no place in the patient (position, "
            "orientation, pixel spacing), which a volume needs; give pictures one by one, of a film the frame wanted"
        )
    _require_alike(frames, places)
    positions = np.array([place.position for place in places])
    heights = positions @ np.cross(*places[0].directions)
    order = np.argsort(heights, kind="stable")
    ordered = [frames[i] for i in order.tolist()]
    _require_even(ordered, np.diff(heights[order]))
    return ordered, _affine(places[0], positions[order])


def _affine(place: Place, positions: DoubleArray) -> DoubleArray:
    """(4, 4) to RAS+ mm, of the sorted positions (D, 3) of slices that lie as `place`."""
    affine = np.eye(4)
    affine[:3, 0] = place.directions[0] * place.pixel_spacing_mm[1]
    affine[:3, 1] = place.directions[1] * place.pixel_spacing_mm[0]
    affine[:3, 2] = (positions[-1] - positions[0]) / (len(positions) - 1)
    affine[:3, 3] = positions[0]
    return TO_RAS @ affine


def _require_alike(frames: Sequence[Frame], places: Sequence[Place]) -> None:
    sizes = [np.array([frame.header.Rows, frame.header.Columns]) for frame in frames]
    colours = [np.array(frame.header.get("SamplesPerPixel", 1)) for frame in frames]
    _require_equal("size (rows, columns)", frames, sizes)
    _require_equal("number of colour channels", frames, colours)
    _require_equal("orientation", frames, [place.directions.ravel() for place in places])
    _require_equal("pixel spacing", frames, [place.pixel_spacing_mm for place in places])


def _require_equal(what: str, frames: Sequence[Frame], values: Sequence[AnyArray]) -> None:
    for frame, value in zip(frames, values, strict=True):
        if np.abs(value - values[0]).max() > _ALIKE:
            raise CaseError(
                f"slices differ in {what}: {values[0].tolist()} in {frames[0].name}, {value.tolist()} in {frame.name}; "
                "put those of one volume into a folder of their own"
            )


def _require_even(frames: Sequence[Frame], steps: DoubleArray) -> None:
    """steps: (D - 1,) mm from each slice to the next. Names the first place where one is missing or too many."""
    doubled = np.flatnonzero(steps < _SAME_PLACE_MM)
    if len(doubled):
        raise CaseError(
            f"several slices lie at one place, such as {frames[doubled[0]].name} and {frames[doubled[0] + 1].name} "
            f"({len(doubled)} too many of {len(frames)}); put each time, echo or weighting into a folder of its own"
        )
    step = float(np.median(steps))
    uneven = np.flatnonzero(np.abs(steps - step) > max(_UNEVEN_MM, _UNEVEN_PART * step))
    if len(uneven):
        first = int(uneven[0])
        missing = round(float(steps[first]) / step) - 1
        reason = f"lacks slices, {missing} here" if missing > 0 else "has slices unevenly spaced"
        raise CaseError(
            f"{reason}: from {frames[first].name} to {frames[first + 1].name} it is {steps[first]:.2f} mm, "
            f"elsewhere {step:.2f} mm ({len(uneven)} such places); complete the series"
        )
