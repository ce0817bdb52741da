"""NIfTI: every orientation segmented alike, headers kept, bad files named."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nibabel.nifti1 import Nifti1Image

from app.arrays import AnyArray, LabelArray
from app.cases.given_boxes import boxes_from_options, boxes_from_path
from app.cases.intensities import GreyScale
from app.cases.open_case import OpenCase, Request, open_case, save_labels
from app.errors import CaseError
from app.segment.clock import StageClock
from app.segment.segmenter import Segmenter
from tests.orientations import AFFINE, ORIENTATIONS, canonical, stored

BOXES = np.array([[2, 3, 1, 9, 12, 3], [8, 1, 0, 19, 10, 2]])  # canonical, of which the second covers part of the first


def noise() -> LabelArray:
    """(4, 14, 20), different in every direction."""
    scan: LabelArray = np.random.default_rng(7).integers(0, 256, (4, 14, 20), np.uint8)
    return scan


def write_boxes_in_mm(path: Path) -> Path:
    """BOXES as a user who knows only millimetres would give them."""
    corners = BOXES.reshape(-1, 2, 3) @ AFFINE[:3, :3].T + AFFINE[:3, 3]
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    path.write_text(json.dumps({"space": "ras_mm", "boxes": [{"box": box} for box in boxes.tolist()]}))
    return path


def segment(segmenter: Segmenter, path: Path, request: Request) -> tuple[OpenCase, LabelArray]:
    opened = open_case(path, request)
    return opened, segmenter.segment_case(opened.case, StageClock())


def test_each_of_the_48_orientations_gives_the_masks_of_the_npz(segmenter: Segmenter, tmp_path: Path) -> None:
    np.savez(tmp_path / "case.npz", imgs=noise(), boxes=BOXES)
    _, expected = segment(segmenter, tmp_path / "case.npz", Request())
    assert set(np.unique(expected)) == {0, 1, 2}
    request = Request(boxes=boxes_from_path(write_boxes_in_mm(tmp_path / "boxes.json")))
    for orientation in ORIENTATIONS:
        image = stored(noise(), orientation)
        image.to_filename(tmp_path / "case.nii.gz")
        opened, labels = segment(segmenter, tmp_path / "case.nii.gz", request)
        save_labels(tmp_path / "labels.nii.gz", labels, opened)
        written = nibabel.load(tmp_path / "labels.nii.gz")
        assert isinstance(written, Nifti1Image)
        np.testing.assert_array_equal(written.affine, image.affine)
        np.testing.assert_array_equal(canonical(written), expected)


def open_and_save(path: Path, labels: AnyArray, box: str = "0,0,0,3,4,2") -> Nifti1Image:
    opened = open_case(path, Request(boxes=boxes_from_options([box])))
    out = path.with_name(f"out-{path.name}")
    save_labels(out, labels, opened)
    written = nibabel.load(out)
    assert isinstance(written, Nifti1Image)
    return written


@pytest.mark.parametrize("name", ["oblique.nii", "oblique.nii.gz"])
def test_labels_go_back_under_the_header_of_an_oblique_image(tmp_path: Path, name: str) -> None:
    """Turned by 20 degrees, i towards the feet, k to the left; scaled, with codes of its own."""
    cos, sin = np.cos(np.radians(20)), np.sin(np.radians(20))
    affine = np.array([[0, 0, -3 * cos, 5], [0, 2, -3 * sin, 6], [-0.5, 0, 0, 7], [0, 0, 0, 1]])
    image = nibabel.Nifti1Image(np.arange(6 * 5 * 4).reshape(6, 5, 4).astype(np.int16), affine)
    image.set_sform(affine, 4)
    image.set_qform(affine, 1)
    image.header.set_slope_inter(2, -100)
    image.header["cal_max"] = 900
    image.header["descrip"] = b"knee"
    image.to_filename(tmp_path / name)
    labels = np.zeros((6, 5, 4), np.uint8)  # z comes from i, x from k
    labels[-1, -1, 2] = 1
    written = open_and_save(tmp_path / name, labels, "0,0,0,3,4,2,300")
    header = written.header
    np.testing.assert_array_equal(written.affine, image.affine)
    assert (int(header["sform_code"]), int(header["qform_code"])) == (4, 1)
    assert header.get_data_dtype() == np.uint16  # for a label of 300
    assert header.get_intent()[0] == "label"
    assert (header["cal_max"].item(), header["descrip"].item()) == (0, b"knee")
    # z is against i, y is against j, x is along k
    assert np.argwhere(np.asarray(written.dataobj) == 300).tolist() == [[0, 0, 2]]


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 1), (6, 5, 4, 1)])
def test_one_volume_of_any_number_of_axes_is_taken(tmp_path: Path, shape: tuple[int, ...]) -> None:
    nibabel.Nifti1Image(np.ones(shape, np.int16), AFFINE).to_filename(tmp_path / "a.nii.gz")
    slices = shape[2] if len(shape) > 2 else 1
    assert open_and_save(tmp_path / "a.nii.gz", np.ones((slices, 5, 6), np.uint8)).shape == shape


def test_rgb_is_seen_in_colour(tmp_path: Path) -> None:
    colour = np.zeros((6, 5, 4), [(channel, "u1") for channel in "RGB"])
    colour["G"] = 9
    nibabel.Nifti1Image(colour, AFFINE).to_filename(tmp_path / "a.nii")
    opened = open_case(tmp_path / "a.nii", Request(boxes=boxes_from_options(["0,0,0,3,4,2"])))
    assert opened.case.image.shape == (4, 5, 6, 3)
    assert np.unique(opened.case.image.reshape(-1, 3), axis=0).tolist() == [[0, 9, 0]]


def test_values_are_scaled_by_the_header_and_then_windowed(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(
        np.array([924, 1024, 1064, 1224, 3000], np.int16).reshape(5, 1, 1), np.diag([-1.0, -1, 1, 1])
    )
    image.header.set_slope_inter(1, -1024)
    image.to_filename(tmp_path / "a.nii.gz")
    request = Request(GreyScale(modality="CT"), boxes_from_options(["0,0,0,3,4,2"]))
    # -100, 0, 40, 200 and 1976 HU in a window from -160 to 240
    opened = open_case(tmp_path / "a.nii.gz", request)
    assert opened.case.image.ravel().tolist() == [38, 102, 128, 230, 255]
    assert opened.kept_bytes == 5 * 4  # the values, scaled to float32


def test_a_volume_without_geometry_is_taken_as_stored_and_it_is_said(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(noise().T, None)
    image.header.set_zooms((1, 2, 3))
    image.to_filename(tmp_path / "a.nii.gz")
    opened = open_case(tmp_path / "a.nii.gz", Request(boxes=boxes_from_options(["2,3,1,9,12,3"])))
    np.testing.assert_array_equal(opened.case.image, noise())
    assert "neither sform nor qform" in opened.case.notes[0]
    assert opened.scan.geometry is not None
    assert opened.scan.geometry.spacing_mm == (3, 2, 1)
    with pytest.raises(CaseError, match=r"^a\.nii\.gz: .*give them in voxels"):
        open_case(tmp_path / "a.nii.gz", Request(boxes=boxes_from_path(write_boxes_in_mm(tmp_path / "b.json"))))


def broken_files(folder: Path) -> dict[str, str]:
    """Names of files that cannot be read, with a piece of the message that each must give."""
    nibabel.Nifti1Image(noise().T, AFFINE).to_filename(folder / "whole.nii")
    whole = (folder / "whole.nii").read_bytes()
    packed = gzip.compress(whole)
    for name, content in {
        "empty.nii": b"",
        "empty.nii.gz": b"",
        "text.nii": b"no image " * 100,
        "not_packed.nii.gz": whole,
        "cut.nii": whole[:-20],
        "cut.nii.gz": packed[:-20],
        "flipped.nii.gz": packed[:600] + bytes([packed[600] ^ 255]) + packed[601:],
        "type.nii": whole[:70] + b"\xff\x7f" + whole[72:],
    }.items():
        (folder / name).write_bytes(content)
    expected = {path.name: "no readable NIfTI file" for path in folder.iterdir() if path.name != "whole.nii"}
    nibabel.Nifti1Image(np.zeros((6, 5, 4, 2), np.int16), AFFINE).to_filename(folder / "two.nii.gz")
    nibabel.Nifti1Image(np.full((6, 5, 4), np.nan, np.float32), AFFINE).to_filename(folder / "nan.nii.gz")
    flat = nibabel.Nifti1Image(np.zeros((6, 5, 4), np.int16), AFFINE)
    flat.header["srow_z"] = 0
    (folder / "flat.nii").write_bytes(flat.header.binaryblock + bytes(4 + 2 * 6 * 5 * 4))
    return expected | {
        "two.nii.gz": "which is 2 volumes",
        "nan.nii.gz": "no number but NaN",
        "flat.nii": "does not place three axes",
        "wrong.mha": "no known kind",
        "missing.nii": "No such file",
    }


def test_files_that_cannot_be_read_are_named_with_the_reason(tmp_path: Path) -> None:
    for name, message in broken_files(tmp_path).items():
        with pytest.raises(CaseError, match=message) as caught:
            open_case(tmp_path / name, Request(boxes=boxes_from_options(["0,0,0,3,4,2"])))
        assert str(caught.value).startswith(f"{name}: ")


def test_a_missing_library_is_one_line_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "app.cases.nifti")
    monkeypatch.setitem(sys.modules, "nibabel.arrayproxy", None)
    with pytest.raises(CaseError, match=r"^a\.nii\.gz: NIfTI needs nibabel; pip install 'swinlite\[io\]'$"):
        open_case(tmp_path / "a.nii.gz", Request())
