"""DICOM: every voxel in its place whatever the order and orientation, values as meant, errors in words."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import SegmentationStorage

from app.cases import dicom
from app.errors import CaseError
from tests.dicom_files import AXIAL, Vector, write_enhanced, write_picture, write_series

COS, SIN = float(np.cos(np.radians(20))), float(np.sin(np.radians(20)))
# Two directions of a slice, along a row and along a column, LPS.
DIRECTIONS: dict[str, Vector] = {
    "axial": AXIAL,
    "axial from below": (-1, 0, 0, 0, 1, 0),
    "sagittal": (0, 1, 0, 0, 0, -1),
    "coronal": (1, 0, 0, 0, 0, -1),
    "oblique": (COS, SIN, 0, -SIN, COS, 0),
}
SIZE = (4, 5, 6)  # slices, rows, columns
GREY = np.arange(120, dtype=np.int16).reshape(SIZE)


@pytest.mark.parametrize("directions", DIRECTIONS.values(), ids=DIRECTIONS)
@pytest.mark.parametrize("downward", [False, True])
def test_every_voxel_is_where_its_file_says(tmp_path: Path, directions: Vector, downward: bool) -> None:
    """Slices 3 mm apart, written up or down their normal, under shuffled names; voxel (k, j, i) has a known place."""
    row, column = np.array(directions).reshape(2, 3)
    normal = np.cross(row, column) * 3
    origin = np.array([10.0, 20.0, 30.0])
    write_series(tmp_path, GREY, directions, origin.tolist(), (-normal if downward else normal).tolist())
    scan = dicom.read(tmp_path)
    np.testing.assert_array_equal(scan.values, GREY[::-1] if downward else GREY)
    assert scan.geometry is not None
    assert scan.geometry.affine is not None
    lowest = origin - normal * 3 if downward else origin
    in_lps = lowest + 2 * row + 4 * column + 1 * normal  # of the voxel k = 1, j = 4, i = 2
    np.testing.assert_allclose(scan.geometry.affine @ [2, 4, 1, 1], [*(in_lps * [-1, -1, 1]), 1])


def test_a_tilted_gantry_keeps_its_shear(tmp_path: Path) -> None:
    write_series(tmp_path, GREY, step=(0, 0.5, 2))
    geometry = dicom.read(tmp_path).geometry
    assert geometry is not None
    np.testing.assert_allclose(geometry.affine, [[-1, 0, 0, 0], [0, -1, -0.5, 0], [0, 0, 2, 0], [0, 0, 0, 1]])  # type: ignore[arg-type]


def test_slope_and_intercept_are_those_of_each_slice(tmp_path: Path) -> None:
    """As PET has them: slope 1, 2, 3, 4 from slice to slice."""
    write_series(
        tmp_path, np.full((4, 2, 2), 10, np.uint16), each=lambda k: {"RescaleSlope": k + 1, "RescaleIntercept": -5}
    )
    np.testing.assert_array_equal(dicom.read(tmp_path).values[:, 0, 0], [5, 15, 25, 35])


def test_an_enhanced_file_is_a_volume_by_its_functional_groups(tmp_path: Path) -> None:
    volume = np.full((3, 2, 2), 10, np.uint16) * np.array([1, 2, 3], np.uint16)[:, None, None]
    scan = dicom.read(write_enhanced(tmp_path / "mr.dcm", volume, heights_mm=(8, 0, 4), slopes=(1, 2, 0.5)))
    np.testing.assert_array_equal(scan.values[:, 0, 0], [40, 15, 10])  # frames 2, 3, 1
    assert scan.modality == "MR"
    assert scan.geometry is not None
    assert scan.geometry.spacing_mm == (4, 2, 1)


@pytest.mark.parametrize(
    ("stored", "attributes", "values"),
    [
        ([[-5, 7]], {"RescaleSlope": 2, "RescaleIntercept": -1000}, [[-1010, -986]]),
        ([[0, 4095]], {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "HighBit": 11}, [[4095, 0]]),
        ([[0, 10]], {"PhotometricInterpretation": "MONOCHROME1", "PixelRepresentation": 1}, [[-1, -11]]),
        ([[0, 65535]], {}, [[0, 65535]]),
    ],
)
def test_stored_pixels_become_values(
    tmp_path: Path, stored: list[list[int]], attributes: dict[str, Any], values: list[list[int]]
) -> None:
    signed = min(map(min, stored)) < 0
    scan = dicom.read(write_picture(tmp_path / "a", np.array(stored, np.int16 if signed else np.uint16), **attributes))
    np.testing.assert_array_equal(scan.values, values)
    assert scan.geometry is None
    assert bool(scan.notes) == ("PhotometricInterpretation" in attributes)


def test_slices_of_different_types_keep_their_values(tmp_path: Path) -> None:
    write_series(tmp_path, np.full((4, 2, 2), 65535, np.uint16), each=lambda k: {"PixelRepresentation": k % 2})
    np.testing.assert_array_equal(dicom.read(tmp_path).values[:, 0, 0], [65535, -1, 65535, -1])


@pytest.mark.parametrize(
    ("name", "shape", "corner"),
    [
        ("CT_small.dcm", (128, 128), -849),  # 175 stored, intercept -1024
        ("MR_small_RLE.dcm", (64, 64), 905),
        ("MR_small_jp2klossless.dcm", (64, 64), 905),
        ("MR_small_bigendian.dcm", (64, 64), 905),
        ("image_dfl.dcm", (512, 512), 213),  # deflated
        ("SC_rgb_rle_16bit.dcm", (100, 100, 3), [255, 0, 0]),
        ("examples_palette.dcm", (350, 800, 3), [37, 62, 94]),  # the blue of its heading
    ],
)
def test_files_of_other_makers_are_read(name: str, shape: tuple[int, ...], corner: Any) -> None:
    """Files that come with pydicom."""
    values = dicom.read(Path(str(get_testdata_file(name)))).values
    assert values.shape == shape
    np.testing.assert_array_equal(values[0, 0], corner)


def test_what_is_no_part_of_the_scan_is_left_out_and_said(tmp_path: Path) -> None:
    write_series(tmp_path, GREY)
    write_picture(tmp_path / "scout", GREY[0], ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    write_picture(tmp_path / "seg", GREY[0], Modality="SEG", SOPClassUID=SegmentationStorage)
    (tmp_path / "notes.txt").write_text("of the radiologist")
    scan = dicom.read(tmp_path)
    assert scan.values.shape == SIZE
    assert scan.notes == (
        "files that are no DICOM, left out: 1",
        "no part of a scan, left out: 1 Segmentation Storage",
        "localizers, left out: 1",
    )


def test_several_series_are_listed_with_what_to_do(tmp_path: Path) -> None:
    for number, count in (("1.5", 4), ("1.6", 2)):
        write_series(tmp_path / number, GREY[:count], SeriesInstanceUID=number, SeriesDescription=f"run {number}")
        for path in (tmp_path / number).iterdir():
            path.rename(tmp_path / f"{number}-{path.name}")
    found = r"holds files of 2 series, expected one: 4 of 1\.5 \(run 1\.5\); 2 of 1\.6 \(run 1\.6\); put each"
    with pytest.raises(CaseError, match=found):
        dicom.read(tmp_path)


@pytest.mark.parametrize(
    ("keyword", "of_each_slice", "message"),
    [
        (
            "ImagePositionPatient",
            [[0, 0, z] for z in (0, 2, 6, 8)],
            r"lacks slices, 1 here: from IM\d to IM\d it is 4",
        ),
        ("ImagePositionPatient", [[0, 0, z] for z in (0, 2, 4.6, 6.6)], r"unevenly .* 2\.60 mm, elsewhere 2\.00 mm"),
        ("ImagePositionPatient", [[0, 0, z] for z in (0, 0, 1, 1)], r"several slices .* \(2 too many of 4\)"),
        ("ImagePositionPatient", [[0, 0, 0], *[None] * 3], "3 of 4 pictures state no place in the patient"),
        ("ImageOrientationPatient", [list(AXIAL)] * 3 + [[1, 0, 0, 0, 0, -1]], "differ in orientation"),
        ("PixelSpacing", [[1, 1]] * 3 + [[1, 2]], r"differ in pixel spacing: \[1\.0, 1\.0\] in .*, \[1\.0, 2\.0\] in"),
        ("Rows", [5, 4, 5, 5], r"differ in size \(rows, columns\)"),
        ("NumberOfFrames", [2, 1, 1, 1], "holds 4 files, some with several frames"),
    ],
)
def test_slices_that_make_no_volume_are_named(
    tmp_path: Path, keyword: str, of_each_slice: list[Any], message: str
) -> None:
    write_series(tmp_path, GREY, each=lambda k: {keyword: of_each_slice[k]})
    with pytest.raises(CaseError, match=message):
        dicom.read(tmp_path)


def test_steps_rounded_to_a_tenth_of_a_millimetre_are_even(tmp_path: Path) -> None:
    """Slices 0.625 mm apart, as scanners write them."""
    write_series(tmp_path, GREY, each=lambda k: {"ImagePositionPatient": [0, 0, round(0.625 * k, 1)]})
    assert dicom.read(tmp_path).values.shape == SIZE


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("MR_truncated.dcm", "is damaged or cut short"),
        ("README.txt", "is no DICOM file"),
        ("test-SR.dcm", "holds no scan but: Comprehensive SR Storage"),
        ("SC_rgb_rle_2frame.dcm", "2 of 2 pictures state no place in the patient"),
        ("SC_rgb_jpeg_gdcm.dcm", r"compressed as JPEG Lossless.*, which needs a decoder: pip install python-gdcm"),
        ("JPGExtended.dcm", r"compressed as JPEG Extended .* decompress it first"),  # 12 bits, beyond Pillow
    ],
)
@pytest.mark.skipif(find_spec("gdcm") is not None, reason="python-gdcm decodes what shall fail here")
def test_files_that_cannot_be_read_say_why(name: str, message: str) -> None:
    with pytest.raises(CaseError, match=rf"^{message}" if message.startswith("is") else message):
        dicom.read(Path(str(get_testdata_file(name))))


def test_a_damaged_slice_is_named(tmp_path: Path) -> None:
    paths = write_series(tmp_path, GREY)
    paths[1].write_bytes(paths[1].read_bytes()[:-9])
    with pytest.raises(CaseError, match=f"^{paths[1].name}: is damaged or cut short"):
        dicom.read(tmp_path)
