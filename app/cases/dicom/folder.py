"""Which files of a folder are the series that is meant."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from pathlib import Path
from typing import BinaryIO

from pydicom import Dataset, dcmread
from pydicom.filereader import read_dataset, read_preamble
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from ...errors import CaseError
from ..formats import DICOM, kind_of
from ..limits import Limits
from .frames import Frame, frame_count, frames_of, plainly

_NO_SCANS = ("SEG", "RTDOSE", "PR", "KO")  # modalities of what is derived from scans, though it may have pixels
_NAMED = 5  # series in one message
_BLOCK = 1 << 20


def read_frames(path: Path, limits: Limits) -> tuple[list[Frame], list[str]]:
    """The frames of a file, or of the one series of a folder, in no special order, and notes on what is left out.

    Raises CaseError for what is no DICOM or no picture, and for a folder of several series.
    """
    if not path.is_dir():
        header = read_header(path, limits, "")
        if not _is_scan(header):
            raise CaseError(f"holds no scan but: {_class_of(header)}; give the file or the folder of a scan")
        with plainly(""):
            limits.admit_slices(frame_count(header))
        return frames_of(path, header, ""), []
    headers, notes = _headers_of_pictures(path, limits)
    headers, localizers = _without_localizers(headers)
    _require_one_series(headers)
    with plainly(""):
        counts = [frame_count(header) for header in headers.values()]
    if len(counts) > 1 and max(counts) > 1:
        raise CaseError(f"holds {len(headers)} files, some with several frames; give these files one by one")
    limits.admit_slices(sum(counts))
    frames = [frame for file, header in headers.items() for frame in frames_of(file, header, file.name)]
    return frames, [*notes, *localizers]


def read_header(path: Path, limits: Limits, name: str = "") -> Dataset:
    """All but the pixels of a file that the limits admit. name: see `plainly`. Raises CaseError."""
    with plainly(name):
        limits.admit_file(path)
        with path.open("rb") as file:
            _admit_deflated(file, limits)
        return dcmread(path, stop_before_pixels=True)


def _admit_deflated(file: BinaryIO, limits: Limits) -> None:
    """pydicom inflates a deflated file whole, whatever becomes of it; here it is tried piece by piece."""
    read_preamble(file, force=False)
    start = read_dataset(file, is_implicit_VR=False, is_little_endian=True, stop_when=_after_file_meta)
    if start.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return
    inflate, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    while not inflate.eof and (packed := inflate.unconsumed_tail or file.read(_BLOCK)):
        size += len(inflate.decompress(packed, _BLOCK))
        limits.admit_bytes(size, "is a deflated file")


def _after_file_meta(tag: BaseTag, vr: str | None, length: int) -> bool:  # noqa: ARG001
    return tag.group != 2


def _headers_of_pictures(folder: Path, limits: Limits) -> tuple[dict[Path, Dataset], list[str]]:
    """Headers by file, in order of names, and notes on the files that are no pictures."""
    pictures: dict[Path, Dataset] = {}
    foreign, others = 0, Counter[str]()
    for file in sorted(entry for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith(".")):
        if kind_of(file) is not DICOM:
            foreign += 1
            continue
        header = read_header(file, limits, file.name)
        with plainly(file.name):
            if not _is_scan(header):
                others[_class_of(header)] += 1
                continue
        pictures[file] = header
        limits.admit_slices(len(pictures))
    if not pictures:
        raise CaseError("holds no DICOM picture, expected the files of one series")
    notes = [f"files that are no DICOM, left out: {foreign}"] if foreign else []
    notes += [f"no part of a scan, left out: {_counted(others)}"] if others else []
    return pictures, notes


def _is_scan(header: Dataset) -> bool:
    return "Rows" in header and header.get("Modality") not in _NO_SCANS


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
            f"{len(found)} of {uid} ({found[0].get('SeriesDescription') or 'no description'})"
            for uid, found in by_series.items()
        ]
        more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
        raise CaseError(
            f"holds files of {len(listed)} series, expected one: {'; '.join(listed[:_NAMED])}{more}; "
            "put each series into a folder of its own"
        )


def _class_of(header: Dataset) -> str:
    uid = header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID")
    return uid.name if uid else "of no stated kind"


def _counted(names: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in names.items())
