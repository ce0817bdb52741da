"""The pictures in DICOM files, ordinary and enhanced multi-frame ones in the same form.

Only what places and scales pixels is read here; nothing of the patient is put into messages.
"""

from __future__ import annotations

import logging
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError

from ...arrays import DoubleArray
from ...errors import CaseError

# A damaged file makes pydicom raise any of these, wherever a value is first looked at.
WRONG_VALUES = (ArithmeticError, AttributeError, BytesLengthException, LookupError, RuntimeError, TypeError, ValueError)
_DAMAGED = (*WRONG_VALUES, EOFError, struct.error, zlib.error)


@dataclass(frozen=True, eq=False)
class Place:
    """Where a frame lies in the patient, LPS.

    position: (3,) of the centre of the first pixel, mm. directions: (2, 3), along a row and along a column.
    pixel_spacing_mm: (between rows, between columns). thickness_mm: of the slice, None where it is not stated.
    """

    position: DoubleArray
    directions: DoubleArray
    pixel_spacing_mm: DoubleArray
    thickness_mm: float | None


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture: all of an ordinary file, or one of a multi-frame file.

    name: as messages call it: the file's in a folder, "frame 3" of several in a file, empty for a file's only one.
    header: of the file, without its pixels. index: of the frame within its file. place: None where the file does not
    state it. slope, intercept: from stored pixels to values.
    """

    name: str
    path: Path
    header: Dataset
    index: int
    place: Place | None
    slope: float
    intercept: float

    @property
    def is_rescaled(self) -> bool:
        return (self.slope, self.intercept) != (1, 0) or "ModalityLUTSequence" in self.header


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' warnings and logs away, which may hold what a file says of its patient."""
    loggers = [logging.getLogger(library) for library in ("pydicom", "highdicom")]
    levels = [logger.level for logger in loggers]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for logger in loggers:
                logger.setLevel(logging.CRITICAL)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def plainly(name: str) -> Iterator[None]:
    """Make a CaseError of what pydicom raises on damaged contents.

    name: of the file or frame, put before the message; empty where the caller names it.
    """
    try:
        yield
    except CaseError as error:
        raise _named(name, str(error)) from error
    except InvalidDicomError as error:
        raise _named(name, "is no DICOM file (no DICM after 128 bytes)") from error
    except _DAMAGED as error:
        raise _named(name, f"is damaged or cut short ({error}); copy it again") from error


def _named(name: str, message: str) -> CaseError:
    return CaseError(f"{name}: {message}" if name else message)


def frames_of(path: Path, header: Dataset, name: str) -> list[Frame]:
    """One frame of an ordinary file, several of a multi-frame one; name: of the file where messages must say it."""
    with plainly(name):
        per_frame = header.get("PerFrameFunctionalGroupsSequence")
        if per_frame is None and frame_count(header) == 1:
            return [_frame(name, path, header, 0, [header])]
        shared = _macros(header.get("SharedFunctionalGroupsSequence") or ())
        groups = [_macros([frame]) for frame in per_frame] if per_frame else [[]] * frame_count(header)
        return [_frame(f"frame {i + 1}", path, header, i, [*own, *shared, header]) for i, own in enumerate(groups)]


def frame_count(header: Dataset) -> int:
    return int(header.get("NumberOfFrames") or 1)


def stated_shape(header: Dataset) -> tuple[int, ...]:
    """(H, W) of a frame, or (H, W, 3) in colour. Raises what pydicom does where a value is missing or unsound."""
    shape = int(header.Rows), int(header.Columns)
    return shape if header.get("SamplesPerPixel", 1) == 1 else (*shape, 3)


def _macros(groups: Sequence[Dataset]) -> list[Dataset]:
    """The first item of each sequence in functional groups: plane position, pixel measures and the like."""
    return [element.value[0] for group in groups for element in group if element.VR == "SQ" and element.value]


def _frame(name: str, path: Path, header: Dataset, index: int, sources: Sequence[Dataset]) -> Frame:
    """A frame whose attributes are taken from the first of the sources that has them."""
    slope, intercept = _first(sources, "RescaleSlope"), _first(sources, "RescaleIntercept")
    return Frame(name, path, header, index, _place(sources), float(slope or 1), float(intercept or 0))


def _place(sources: Sequence[Dataset]) -> Place | None:
    position = _first(sources, "ImagePositionPatient")
    directions = _first(sources, "ImageOrientationPatient")
    pixel_spacing = _first(sources, "PixelSpacing")
    thickness = _first(sources, "SliceThickness")
    if not position or not directions or not pixel_spacing:
        return None
    return Place(
        np.array(position, np.float64).reshape(3),
        np.array(directions, np.float64).reshape(2, 3),
        np.array(pixel_spacing, np.float64).reshape(2),
        float(thickness) if thickness else None,
    )


def _first(sources: Sequence[Dataset], keyword: str) -> Any:
    return next((source[keyword].value for source in sources if keyword in source), None)
