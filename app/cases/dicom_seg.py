"""DICOM SEG: a label map as an object of its own that refers to the pictures it was drawn on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from highdicom import AlgorithmIdentificationSequence, PixelMeasuresSequence, PlaneOrientationSequence
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from .. import __version__
from ..arrays import LabelArray
from ..errors import CaseError
from .atomic import write_atomically
from .dicom_frames import Frame, quiet
from .scan import Structure

# What highdicom asks of a source, and the standard lets be empty.
_OF_PATIENT = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex")
_OF_STUDY = ("AccessionNumber", "StudyID", "StudyDate", "StudyTime")
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
    numbers = np.zeros(described[-1] + 1, np.uint16)
    numbers[described] = np.arange(1, len(described) + 1)
    segments = [_segment(number, names[label]) for number, label in enumerate(described, 1)]
    in_file_order = np.argsort([frame.index for frame in frames], kind="stable")
    with quiet():
        seg = _make(_sources(frames), numbers[labels[in_file_order]], segments)
        with write_atomically(path) as file:
            seg.save_as(file, enforce_file_format=True)


def _make(sources: Sequence[Dataset], numbers: LabelArray, segments: Sequence[SegmentDescription]) -> Segmentation:
    """The SEG of numbers (D, H, W) of segments on D source files, or on one of D frames."""
    try:
        return Segmentation(
            source_images=sources,
            pixel_array=numbers,
            segmentation_type=SegmentationTypeValues.BINARY,
            segment_descriptions=segments,
            series_instance_uid=_uid("series", sources, numbers, segments),
            series_number=int(sources[0].get("SeriesNumber") or 0) + _SERIES_NUMBERS_APART,
            sop_instance_uid=_uid("object", sources, numbers, segments),
            instance_number=1,
            manufacturer="swinlite",
            manufacturer_model_name="swinlite",
            software_versions=__version__,
            device_serial_number="none",
            content_label="SWINLITE",
            content_creator_name="swinlite",
            content_description="Objects segmented from boxes",
            series_description="swinlite segmentation",
        )
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise CaseError(f"allows no DICOM SEG ({error}); take --format npz") from error


def _segment(number: int, name: str) -> SegmentDescription:
    """What a box was drawn around is not known by kind: tissue, as 3D Slicer calls what is not named either."""
    return SegmentDescription(
        segment_number=number,
        segment_label=name,
        segmented_property_category=codes.SCT.Tissue,
        segmented_property_type=codes.SCT.Tissue,
        algorithm_type=SegmentAlgorithmTypeValues.SEMIAUTOMATIC,
        algorithm_identification=AlgorithmIdentificationSequence(
            "swinlite", codes.cid7162.ArtificialIntelligence, __version__
        ),
    )


def _sources(frames: Sequence[Frame]) -> list[Dataset]:
    """Headers of the files, each once, as highdicom asks them: with how all slices lie in one certain place."""
    measures, orientation = Dataset(), Dataset()
    places = [frame.place for frame in frames if frame.place is not None]
    if places:
        first, normal = places[0], np.cross(*places[0].directions)
        apart = float(normal @ (places[1].position - first.position)) if len(places) > 1 else None
        measures = PixelMeasuresSequence(first.pixel_spacing_mm.tolist(), first.thickness_mm or apart, apart)[0]
        orientation = PlaneOrientationSequence("PATIENT", first.directions.ravel().tolist())[0]
    headers = {frame.path: frame.header for frame in frames}.values()
    return [_source(header, measures, orientation) for header in headers]


def _source(header: Dataset, measures: Dataset, orientation: Dataset) -> Dataset:
    """A copy, with the two for all its frames, and what may be empty there."""
    source = Dataset()
    source.file_meta = header.file_meta
    source.update(header)
    for keyword in (*_OF_PATIENT, *_OF_STUDY):
        if keyword not in source:
            setattr(source, keyword, None)
    if "SharedFunctionalGroupsSequence" in header:
        shared = Dataset()
        shared.update(header.SharedFunctionalGroupsSequence[0])
        shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
        source.SharedFunctionalGroupsSequence = [shared]
    else:
        source.update(measures)
        source.update(orientation)
    return source


def _uid(purpose: str, sources: Sequence[Dataset], numbers: LabelArray, segments: Sequence[SegmentDescription]) -> str:
    return generate_uid(
        entropy_srcs=[
            purpose,
            __version__,
            *(source.SOPInstanceUID for source in sources),
            *(segment.SegmentLabel for segment in segments),
            hashlib.sha256(numbers.tobytes()).hexdigest(),
        ]
    )
