"""Files that the fuzzer found, each a few bytes away from a sound one: an error in words, and nothing printed."""

from __future__ import annotations

import struct
import zipfile
from io import BytesIO
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest
from pydicom import dcmread

from app.cases import dicom
from app.cases.geometry import VolumeGeometry
from app.cases.given_boxes import boxes_from_options
from app.cases.label_maps import read_label_map
from app.cases.open_case import Request, open_case
from app.cases.scan import Scan
from app.errors import CaseError
from tests.conftest import two_squares
from tests.dicom_files import write_picture, write_series
from tests.orientations import AFFINE

GREY = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
COLOUR = np.zeros((4, 3, 2), [(channel, "u1") for channel in "RGB"])
ROWS, COLUMNS = b"\x28\x00\x10\x00", b"\x28\x00\x11\x00"
REQUEST = Request(boxes=boxes_from_options(["0,0,0,2,2,1"]))


def altered(path: Path, old: bytes, new: bytes) -> Path:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    return path


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (ROWS + b"US", ROWS + b"UL"),  # four bytes a number, of which there are two
        (COLUMNS + b"US", COLUMNS + b"ES"),  # no type of DICOM
        (b"\x08\x00\x60\x00CS", b"\x08\x00\x60\x00C\x01"),  # of the modality
        (b"\x20\x00\x0e\x00UI", b"\x20\x00\x0e\x00UX"),  # of the series
    ],
)
def test_a_value_of_another_type_is_damage_of_its_file(tmp_path: Path, old: bytes, new: bytes) -> None:
    first, _ = write_series(tmp_path / "series", GREY)
    altered(first, old, new)
    with pytest.raises(CaseError, match="is damaged or cut short"):
        open_case(tmp_path / "series", REQUEST)
    with pytest.raises(CaseError, match=r"damaged or cut short|is no DICOM SEG"):
        read_label_map(first, Scan("a", GREY[0]))


def test_an_object_of_two_classes_is_damaged(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.dcm", GREY[0], SOPClassUID=["1.2", "1.3"], Modality="SEG")
    with pytest.raises(CaseError, match=r"^a\.dcm: is damaged"):
        open_case(path, REQUEST)


def test_arrays_that_python_2_wrote_are_read_without_a_word(tmp_path: Path) -> None:
    """Whole numbers in their headers may be long ones; NumPy reads and remarks on them."""
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for name, array in (("imgs", two_squares()), ("boxes", np.array([[5, 5, 25, 25]]))):
            file = BytesIO()
            np.save(file, array)
            archive.writestr(f"{name}.npy", file.getvalue().replace(b"), }  ", b"L), } "))
    assert open_case(tmp_path / "a.npz", Request()).case.image.shape == (48, 64, 3)


def test_a_nifti_header_with_an_unknown_unit_is_refused(tmp_path: Path) -> None:
    nibabel.Nifti1Image(GREY.T, None).to_filename(tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[123] = 4
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(CaseError, match=r"^a\.nii: "):
        open_case(tmp_path / "a.nii", REQUEST)


def test_an_extension_of_an_odd_size_is_passed_over_without_a_word(tmp_path: Path) -> None:
    """24 bytes, where the standard has multiples of 16; the voxels begin behind them, at 376."""
    nibabel.Nifti1Image(GREY.T, AFFINE).to_filename(tmp_path / "a.nii")
    content = (tmp_path / "a.nii").read_bytes()
    header = content[:108] + np.float32(376).tobytes() + content[112:348]
    (tmp_path / "a.nii").write_bytes(header + struct.pack("<4b2i16x", 1, 0, 0, 0, 24, 6) + content[352:])
    np.testing.assert_array_equal(open_case(tmp_path / "a.nii", REQUEST).scan.values, GREY)


def test_a_seg_whose_frame_has_two_segments_is_refused(tmp_path: Path) -> None:
    write_series(tmp_path / "in", GREY)
    dicom.write(tmp_path / "seg.dcm", (GREY % 2 + 1).astype(np.uint8), dicom.read(tmp_path / "in"), ())
    seg = dcmread(tmp_path / "seg.dcm")
    identification = seg.PerFrameFunctionalGroupsSequence[0].SegmentIdentificationSequence[0]
    identification.ReferencedSegmentNumber = [1, 2]
    seg.save_as(tmp_path / "seg.dcm")
    with pytest.raises(CaseError, match=r"^seg\.dcm: is no DICOM SEG"):
        read_label_map(tmp_path / "seg.dcm", Scan("a", GREY))


def test_colours_are_not_scaled(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(COLOUR, AFFINE)
    image.to_filename(tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[112:116] = np.float32(2).tobytes()  # scl_slope, of no meaning for RGB by the standard
    (tmp_path / "a.nii").write_bytes(content)
    assert open_case(tmp_path / "a.nii", REQUEST).case.image.shape == (2, 3, 4, 3)


def test_colours_are_no_labels(tmp_path: Path) -> None:
    nibabel.Nifti1Image(COLOUR, AFFINE).to_filename(tmp_path / "a.nii")
    scan = Scan("a", GREY, VolumeGeometry.from_affine(GREY.shape, AFFINE))
    with pytest.raises(CaseError, match=r"values of shape \(2, 3, 4, 3\), expected a label for each"):
        read_label_map(tmp_path / "a.nii", scan)


def test_a_picture_of_no_clear_size_is_refused(tmp_path: Path) -> None:
    """A TIFF whose width is a list of no numbers, and a PNG cut behind its size."""
    tiff, png = (cv2.imencode(ending, two_squares())[1].tobytes() for ending in (".tiff", ".png"))
    (tmp_path / "a.tiff").write_bytes(tiff)
    altered(tmp_path / "a.tiff", b"\0\1\3\0\1\0\0\0", b"\0\1\3\0\0\0\0\0")
    (tmp_path / "a.png").write_bytes(png[:24])
    for name in ("a.tiff", "a.png"):
        with pytest.raises(CaseError, match="is no picture that can be decoded"):
            open_case(tmp_path / name, REQUEST)


def test_a_png_takes_no_memory_for_a_chunk_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk of 2 GB is stated where the first data begin, after 33 bytes; the decoder is not even asked."""
    monkeypatch.setattr("app.cases.decoding.cv2.imdecode", None)
    content = cv2.imencode(".png", two_squares())[1].tobytes()
    (tmp_path / "a.png").write_bytes(content[:33] + b"\x7f" + content[34:])
    with pytest.raises(CaseError, match="is no picture that can be decoded"):
        open_case(tmp_path / "a.png", REQUEST)


def test_decoders_print_nothing_about_odd_pictures(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Bytes before a JPEG's end marker, and a PNG whose last chunk has a wrong checksum: both are decoded."""
    jpeg, png = (cv2.imencode(ending, two_squares())[1].tobytes() for ending in (".jpg", ".png"))
    (tmp_path / "a.jpg").write_bytes(jpeg[:-2] + b"odd" + jpeg[-2:])
    (tmp_path / "a.png").write_bytes(png[:-1] + b"!")
    for name in ("a.jpg", "a.png"):
        open_case(tmp_path / name, Request(boxes=boxes_from_options(["0,0,2,2"])))
    assert capfd.readouterr().err == ""
