"""The pictures in DICOM files, ordinary and enhanced multi-frame ones in the same form, and which of a folder belong.

What is read and said here is what places and scales pixels; nothing of the patient is put into messages.
"""

from __future__ import annotations

import logging
import struct
import warnings
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

from ..arrays import DoubleArray
from ..errors import CaseError

# A damaged file makes pydicom raise any of these, wherever a value is first looked at.
_WRONG_VALUES = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
_DAMAGED = (*_WRONG_VALUES, EOFError, struct.error, zlib.error)
_NO_SCANS = ("SEG", "RTDOSE", "PR", "KO")  # modalities of what is derived from scans, though it may have pixels
_NAMED = 5  # series in one message


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


def read_frames(path: Path) -> tuple[list[Frame], list[str]]:
    """The frames of a file, or of the one series of a folder, in no special order, and notes on what is left out.

    Raises CaseError for what is no DICOM or no picture, and for a folder of several series.
    """
    if not path.is_dir():
        header = _read_header(path, "")
        if not _is_scan(header):
            raise CaseError(f"holds no scan but: {_class_of(header)}; give the file or the folder of a scan")
        return _frames_of(path, header, ""), []
    headers, notes = _headers_of_pictures(path)
    headers, localizers = _without_localizers(headers)
    _require_one_series(headers)
    if len(headers) > 1 and any(_frame_count(header) > 1 for header in headers.values()):
        raise CaseError(f"holds {len(headers)} files, some with several frames; give these files one by one")
    frames = [frame for file, header in headers.items() for frame in _frames_of(file, header, file.name)]
    return frames, [*notes, *localizers]


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
    """Make a CaseError of what pydicom raises on damaged contents, quietly.

    name: of the file or frame, put before the message; empty where the caller names it.
    """
    try:
        with quiet():
            yield
    except CaseError as error:
        raise _named(name, str(error)) from error
    except InvalidDicomError as error:
        raise _named(name, "is no DICOM file (no DICM after 128 bytes)") from error
    except _DAMAGED as error:
        raise _named(name, f"is damaged or cut short ({error}); copy it again") from error


def _named(name: str, message: str) -> CaseError:
    return CaseError(f"{name}: {message}" if name else message)


def _read_header(path: Path, name: str) -> Dataset:
    with plainly(name):
        return dcmread(path, stop_before_pixels=True)


def _headers_of_pictures(folder: Path) -> tuple[dict[Path, Dataset], list[str]]:
    """Headers by file, in order of names, and notes on the files that are no pictures."""
    pictures: dict[Path, Dataset] = {}
    foreign, others = 0, Counter[str]()
    for file in sorted(entry for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith(".")):
        if not is_dicom(file):
            foreign += 1
            continue
        header = _read_header(file, file.name)
        if _is_scan(header):
            pictures[file] = header
        else:
            others[_class_of(header)] += 1
    if not pictures:
        raise CaseError("holds no DICOM picture, expected the files of one series")
    notes = [f"files that are no DICOM, left out: {foreign}"] if foreign else []
    notes += [f"no part of a scan, left out: {_counted(others)}"] if others else []
    return pictures, notes


def _is_scan(header: Dataset) -> bool:
    return "Rows" in header and header.get("Modality") not in _NO_SCANS


def is_dicom(path: Path) -> bool:
    """Whether a file has the mark of DICOM. Raises OSError."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _without_localizers(headers: dict[Path, Dataset]) -> tuple[dict[Path, Dataset], list[str]]:
    scans = {file: header for file, header in headers.items() if "LOCALIZER" not in (header.get("ImageType") or ())}
    left_out = len(headers) - len(scans)
    if not scans or not left_out:
        return headers, []
    return scans, [f"localizers, left out: {left_out}"]


def _require_one_series(headers: dict[Path, Dataset]) -> None:
    by_series: dict[str, list[Dataset]] = defaultdict(list)
    for header in headers.values():
        by_series[str(header.get("SeriesInstanceUID"))].append(header)
    if len(by_series) > 1:
        listed = [
            f"{uid} ({found[0].get('SeriesDescription') or 'no description'}, {len(found)} files)"
            for uid, found in by_series.items()
        ]
        more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
        raise CaseError(
            f"holds {len(listed)} series, expected one: {'; '.join(listed[:_NAMED])}{more}; "
            "put each series into a folder of its own"
        )


def _frames_of(path: Path, header: Dataset, name: str) -> list[Frame]:
    """One frame of an ordinary file, several of a multi-frame one; name: of the file where messages must say it."""
    with plainly(name):
        per_frame = header.get("PerFrameFunctionalGroupsSequence")
        if per_frame is None and _frame_count(header) == 1:
            return [_frame(name, path, header, 0, [header])]
        shared = _macros(header.get("SharedFunctionalGroupsSequence") or ())
        groups = [_macros([frame]) for frame in per_frame] if per_frame else [[]] * _frame_count(header)
        return [_frame(f"frame {i + 1}", path, header, i, [*own, *shared, header]) for i, own in enumerate(groups)]


def _frame_count(header: Dataset) -> int:
    return int(header.get("NumberOfFrames") or 1)


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


def _class_of(header: Dataset) -> str:
    uid = header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID")
    return uid.name if uid else "of no stated kind"


def _counted(names: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in names.items())
