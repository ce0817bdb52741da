"""DICOM SEG: a label map as an object of its own that refers to the pictures it was drawn on."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from highdicom import AlgorithmIdentificationSequence, PixelMeasuresSequence, PlaneOrientationSequence
from highdicom.enum import PatientSexValues
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription, segread
from pydicom import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid
from pydicom.valuerep import DA, TM

from ... import __version__
from ...arrays import AnyArray, DoubleArray, LabelArray
from ...errors import CaseError
from ...plain import plain
from ..atomic import write_atomically
from ..limits import Limits
from ..scan import Structure
from .folder import read_header
from .frames import WRONG_VALUES, Frame, Place, frame_count, plainly, stated_shape
from .stack import TO_RAS

# What highdicom asks of a source, with what it must be able to make of it. The standard lets all of it be empty.
_MAY_BE_EMPTY = {
    "PatientID": str,
    "PatientName": str,
    "PatientBirthDate": DA,
    "PatientSex": PatientSexValues,
    "AccessionNumber": str,
    "StudyID": str,
    "StudyDate": DA,
    "StudyTime": TM,
    "SliceThickness": float,
}
_LONGEST_NAME = 64  # of a segment, by the standard
_SERIES_NUMBERS_APART = 1000  # of the source and of its SEG


def write_seg(path: Path, labels: LabelArray, frames: Sequence[Frame], structures: Sequence[Structure]) -> None:
    """Write labels (D, H, W), a slice for each frame, as a binary SEG, atomically.

    The standard numbers segments from 1 without gaps: segment k is the k-th of the labels in rising order. Frames that
    hold nothing of a segment are left out. Series and object UID follow from source, structures and labels, so that
    the same result written again is the same object. Raises CaseError where source or structures allow no SEG, OSError.
    """
    names = {int(label): f"Object {label}" for label in np.unique(labels[labels > 0])}
    names |= {structure.label: structure.name for structure in structures}
    if not names:
        raise CaseError("has no box, and a DICOM SEG needs an object; give boxes or take --format npz")
    described = sorted(names)
    numbers = np.zeros(described[-1] + 1, np.min_scalar_type(len(described)))
    numbers[described] = np.arange(1, len(described) + 1)
    in_file_order = np.argsort([frame.index for frame in frames], kind="stable")
    seg = _make(frames, numbers[labels[in_file_order]], [names[label] for label in described])
    if frames[0].place is None:  # the standard wants it then, and highdicom leaves it out
        seg.PatientOrientation = frames[0].header.get("PatientOrientation")
    with write_atomically(path) as file:
        seg.save_as(file, enforce_file_format=True)


def read_seg(path: Path, limits: Limits) -> tuple[AnyArray, DoubleArray]:
    """Segment numbers (D, H, W) from the first slice that a SEG holds to its last, and their affine (see `stack`).

    Raises CaseError for any other object, for frames that make no volume and for segments that overlap.
    """
    header = read_header(path, limits)
    with plainly(""):
        limits.admit((frame_count(header), *stated_shape(header)), np.dtype(np.uint8))
    try:
        volume = segread(path).get_volume(combine_segments=True)
    except (*WRONG_VALUES, InvalidDicomError, sqlite3.Error) as error:  # highdicom puts frames into a table
        raise CaseError(f"is no DICOM SEG of a volume with segments that lie apart ({error})") from error
    return volume.array, TO_RAS @ volume.affine[:, [2, 1, 0, 3]]


def _make(frames: Sequence[Frame], numbers: LabelArray, names: Sequence[str]) -> Segmentation:
    """The SEG of segment numbers (D, H, W), names those of 1, 2, ..., on D source files or on one of D frames."""
    try:
        sources = _sources(frames)
        return Segmentation(
            source_images=sources,
            pixel_array=numbers,
            segmentation_type=SegmentationTypeValues.BINARY,
            segment_descriptions=[_segment(number, name) for number, name in enumerate(names, 1)],
            series_instance_uid=_uid("series", sources, numbers, names),
            series_number=int(sources[0].get("SeriesNumber") or 0) + _SERIES_NUMBERS_APART,
            sop_instance_uid=_uid("object", sources, numbers, names),
            instance_number=1,
            manufacturer="swinlite",
            manufacturer_model_name="swinlite",
            software_versions=__version__,
            device_serial_number="none",
            content_label="SWINLITE",
            content_creator_name="swinlite^",
            content_description="Objects segmented from boxes",
            series_description="swinlite segmentation",
            specific_character_set="ISO_IR 192",  # UTF-8, for any name of a structure
        )
    except WRONG_VALUES as error:
        raise CaseError(f"allows no DICOM SEG ({error}); take --format npz") from error


def _segment(number: int, name: str) -> SegmentDescription:
    """What a box was drawn around is not known by kind: tissue, as 3D Slicer calls what is not named either."""
    return SegmentDescription(
        segment_number=number,
        segment_label=plain(name).replace("\\", "/")[:_LONGEST_NAME],
        segmented_property_category=codes.SCT.Tissue,
        segmented_property_type=codes.SCT.Tissue,
        algorithm_type=SegmentAlgorithmTypeValues.SEMIAUTOMATIC,
        algorithm_identification=AlgorithmIdentificationSequence(
            "swinlite", codes.cid7162.ArtificialIntelligence, __version__
        ),
    )


def _sources(frames: Sequence[Frame]) -> list[Dataset]:
    """Headers of the files, each once, as highdicom asks for them."""
    places = [frame.place for frame in frames if frame.place is not None]
    planes = _planes(places) if places else {}
    return [_source(header, planes) for header in {frame.path: frame.header for frame in frames}.values()]


def _planes(places: Sequence[Place]) -> dict[str, Sequence[Dataset]]:
    """How all slices lie, in the macros of an enhanced file, which highdicom looks for where all frames share them."""
    first, normal = places[0], np.cross(*places[0].directions)
    apart = float(normal @ (places[1].position - first.position)) if len(places) > 1 else None
    return {
        "PixelMeasuresSequence": PixelMeasuresSequence(
            first.pixel_spacing_mm.tolist(), first.thickness_mm or apart, apart
        ),
        "PlaneOrientationSequence": PlaneOrientationSequence("PATIENT", first.directions.ravel().tolist()),
    }


def _source(header: Dataset, planes: dict[str, Sequence[Dataset]]) -> Dataset:
    """A copy in which all frames lie in these planes, with nothing where what may be empty is absent or unsound."""
    source = Dataset()
    source.file_meta = header.file_meta
    source.update(header)
    for keyword, make in _MAY_BE_EMPTY.items():
        try:
            make(source[keyword].value)
        except (KeyError, TypeError, ValueError):
            setattr(source, keyword, None)
    if "SharedFunctionalGroupsSequence" in header:
        shared = Dataset()
        shared.update(header.SharedFunctionalGroupsSequence[0])
        for keyword, macro in planes.items():
            setattr(shared, keyword, list(macro))
        source.SharedFunctionalGroupsSequence = [shared]
    else:
        for [attributes] in planes.values():
            source.update(attributes)
    return source


def _uid(purpose: str, sources: Sequence[Dataset], numbers: LabelArray, names: Sequence[str]) -> str:
    uids = [str(source.SOPInstanceUID) for source in sources]
    digest = hashlib.sha256(numbers.tobytes()).hexdigest()
    return generate_uid(entropy_srcs=[purpose, __version__, *uids, *names, digest])
