"""DICOM SEG: labels read back by highdicom, and from the bare object by pydicom alone."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import UltrasoundImageStorage

from app.arrays import AnyArray
from app.cases import dicom
from app.cases.given_boxes import boxes_from_path
from app.cases.scan import Structure
from app.errors import CaseError
from tests.dicom_files import AXIAL, PATIENT, write_enhanced, write_picture, write_series

GREY = np.zeros((4, 5, 6), np.int16)
STRUCTURES = (Structure(7, "liver"), Structure(2, "Object 2"))
US = {"SOPClassUID": UltrasoundImageStorage, "Modality": "US"}
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


def some_labels() -> AnyArray:
    """(4, 5, 6): label 2 on slice 3, label 7 on slices 1 and 3, of shapes that no flip or turn leaves alike."""
    labels = np.zeros(GREY.shape, np.uint8)
    labels[3, 0, :2] = 2
    labels[1, 1:4, 2] = 7
    labels[3, 4, 3:] = 7
    return labels


def read_by_hand(path: Path, sources: list[Path]) -> dict[int, AnyArray]:
    """Masks (D, H, W) by segment number, each frame put to the source that it refers to and shares the place with."""
    seg, files = dcmread(path), [dcmread(source) for source in sources]
    uids = [file.SOPInstanceUID for file in files]
    masks: dict[int, AnyArray] = {item.SegmentNumber: np.zeros(GREY.shape, np.uint8) for item in seg.SegmentSequence}
    for frame, pixels in zip(seg.PerFrameFunctionalGroupsSequence, np.atleast_3d(seg.pixel_array), strict=True):
        number = frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        reference = frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        place = frame.PlanePositionSequence[0].ImagePositionPatient
        assert place == files[uids.index(reference)].ImagePositionPatient
        masks[number][uids.index(reference)] = pixels
    return masks


def attributes(dataset: Dataset, *keywords: str) -> list[object]:
    return [dataset.get(keyword) for keyword in keywords]


@pytest.mark.parametrize(
    "lying",
    [
        {},
        {"directions": SAGITTAL},
        {"step": (0, 0.5, 2)},  # a tilted gantry
        {"each": lambda k: {"ImageOrientationPatient": [1, 1e-6 * k, 0, 0, 1, 0]}},
    ],
    ids=["axial", "sagittal", "tilted", "not quite parallel"],
)
def test_labels_come_back_voxel_for_voxel(tmp_path: Path, lying: dict[str, Any]) -> None:
    sources = write_series(tmp_path / "in", GREY, **lying)
    scan = dicom.read(tmp_path / "in")
    dicom.write(tmp_path / "seg.dcm", some_labels(), scan, STRUCTURES)
    masks = read_by_hand(tmp_path / "seg.dcm", sources)
    np.testing.assert_array_equal(masks[1], some_labels() == 2)
    np.testing.assert_array_equal(masks[2], some_labels() == 7)
    seg = highdicom.seg.segread(tmp_path / "seg.dcm")
    uids = [frame.header.SOPInstanceUID for frame in scan.source]  # type: ignore[attr-defined]
    by_source = seg.get_pixels_by_source_instance(uids, combine_segments=True, assert_missing_frames_are_empty=True)
    np.testing.assert_array_equal(by_source, np.select([some_labels() == 2, some_labels() == 7], [1, 2]))


def test_a_seg_says_what_it_is_and_what_it_was_made_of(tmp_path: Path) -> None:
    sources = [dcmread(path) for path in write_series(tmp_path / "in", GREY, SeriesNumber=3)]
    dicom.write(tmp_path / "seg.dcm", some_labels(), dicom.read(tmp_path / "in"), STRUCTURES)
    seg = dcmread(tmp_path / "seg.dcm")
    assert [(item.SegmentNumber, item.SegmentLabel) for item in seg.SegmentSequence] == [(1, "Object 2"), (2, "liver")]
    assert {item.SegmentAlgorithmType for item in seg.SegmentSequence} == {"SEMIAUTOMATIC"}
    kept = ("PatientName", "PatientID", "StudyInstanceUID", "FrameOfReferenceUID")
    assert attributes(seg, *kept) == attributes(sources[0], *kept)
    assert attributes(seg, "Modality", "SegmentationType", "SeriesNumber") == ["SEG", "BINARY", 1003]
    [series] = seg.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == sources[0].SeriesInstanceUID
    referenced = {item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence}
    assert referenced == {source.SOPInstanceUID for source in sources}


def test_names_of_any_script_are_kept_and_unsound_attributes_left_empty(tmp_path: Path) -> None:
    unusual: dict[str, Any] = {"SpecificCharacterSet": ["", "ISO 2022 IR 87"], "PatientSex": "Q"}
    write_series(tmp_path / "in", GREY, PatientName="Yamada^Tarou=山田^太郎", **unusual)
    scan = dicom.read(tmp_path / "in")
    dicom.write(tmp_path / "seg.dcm", some_labels(), scan, [Structure(2, "肝臓 \\ liver " + "x" * 64)])
    seg = dcmread(tmp_path / "seg.dcm")
    assert attributes(seg, "PatientName", "PatientSex") == ["Yamada^Tarou=山田^太郎", ""]
    assert seg.SegmentSequence[0].SegmentLabel == "肝臓 / liver " + "x" * 53  # 64 characters in all


def test_the_same_result_is_the_same_object(tmp_path: Path) -> None:
    write_series(tmp_path / "in", GREY)
    scan = dicom.read(tmp_path / "in")
    changed = some_labels()
    changed[0, 0, 0] = 2
    for name, labels in (("a", some_labels()), ("b", some_labels()), ("c", changed)):
        dicom.write(tmp_path / name, labels, scan, STRUCTURES)
    same, again, other = (dcmread(tmp_path / name).SOPInstanceUID for name in "abc")
    assert same == again != other
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c", "in"]


def test_frames_of_an_enhanced_file_are_referred_to_by_number(tmp_path: Path) -> None:
    """Frames at 8, 0 and 4 mm: the lowest slice is frame 2."""
    scan = dicom.read(write_enhanced(tmp_path / "mr.dcm", GREY[:3].astype(np.uint16), (8, 0, 4), (1, 1, 1)))
    labels = np.zeros((3, 5, 6), np.uint8)
    labels[0, 1, 2] = 1
    dicom.write(tmp_path / "seg.dcm", labels, scan, ())
    seg = dcmread(tmp_path / "seg.dcm")
    [frame] = seg.PerFrameFunctionalGroupsSequence
    assert frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber == 2
    assert frame.PlanePositionSequence[0].ImagePositionPatient == [0, 0, 0]
    assert seg.SegmentSequence[0].SegmentLabel == "Object 1"


def test_a_picture_without_a_place_has_a_seg_too(tmp_path: Path) -> None:
    scan = dicom.read(
        write_picture(tmp_path / "us", np.zeros((5, 6, 3), np.uint8), PatientOrientation=["L", "F"], **US)
    )
    labels = some_labels()[3]
    dicom.write(tmp_path / "seg.dcm", labels, scan, STRUCTURES)
    seg = dcmread(tmp_path / "seg.dcm")
    np.testing.assert_array_equal(seg.pixel_array, [labels == 2, labels == 7])
    assert seg.PatientOrientation == ["L", "F"]


def test_an_empty_map_keeps_its_objects_and_none_at_all_is_an_error(tmp_path: Path) -> None:
    write_series(tmp_path / "in", GREY)
    scan = dicom.read(tmp_path / "in")
    dicom.write(tmp_path / "seg.dcm", np.zeros(GREY.shape, np.uint8), scan, STRUCTURES)
    seg = dcmread(tmp_path / "seg.dcm")
    assert len(seg.SegmentSequence) == 2
    assert not seg.pixel_array.any()
    with pytest.raises(CaseError, match="a DICOM SEG needs an object; give boxes or take --format npz"):
        dicom.write(tmp_path / "none.dcm", np.zeros(GREY.shape, np.uint8), scan, ())


def test_a_source_that_allows_no_seg_is_said_without_its_patient(tmp_path: Path) -> None:
    """A CT needs a frame of reference by the standard."""
    scan = dicom.read(write_picture(tmp_path / "ct", GREY[0]))
    with pytest.raises(CaseError, match=r"allows no DICOM SEG .*--format npz") as caught:
        dicom.write(tmp_path / "seg.dcm", some_labels()[3], scan, STRUCTURES)
    assert PATIENT not in str(caught.value)
    assert not (tmp_path / "seg.dcm").exists()


def test_a_seg_may_say_where_the_boxes_are(tmp_path: Path) -> None:
    """It has no frame of slice 0, on which nothing is; a sagittal series is turned, and the boxes with it."""
    for directions, boxes in ((AXIAL, [[0, 0, 3, 1, 0, 3], [2, 1, 1, 5, 4, 3]]), (SAGITTAL, [[0, 0, 4, 0, 1, 4]])):
        folder = tmp_path / str(len(boxes))
        write_series(folder / "in", GREY, directions)
        scan = dicom.read(folder / "in")
        labels = some_labels() if directions == AXIAL else np.where(some_labels() == 2, 2, 0).astype(np.uint8)
        dicom.write(folder / "seg.dcm", labels, scan, ())
        found, structures = boxes_from_path(folder / "seg.dcm")(scan)
        np.testing.assert_array_equal(found, boxes)
        assert [structure.label for structure in structures] == list(range(1, len(boxes) + 1))
    with pytest.raises(CaseError, match="counts as a series; give the file of a SEG"):
        dicom.read_labels(tmp_path / "1" / "in")


def test_nothing_of_the_patient_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The libraries log what they copy, and values that they find unsound."""
    paths = write_series(tmp_path / "in", GREY, PatientAge="036Y")
    for path in paths:
        path.write_bytes(path.read_bytes().replace(b"036Y", b"36 y"))
    caplog.set_level(logging.DEBUG)
    dicom.write(tmp_path / "seg.dcm", some_labels(), dicom.read(tmp_path / "in"), STRUCTURES)
    assert not caplog.records
