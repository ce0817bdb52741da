"""`swinlite convert`: any file to a challenge case, and a label map back to where it belongs."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest
from nibabel.nifti1 import Nifti1Image

from app.cases.challenge import read_case
from app.cli import main
from app.segment.clock import StageClock
from app.segment.segmenter import Segmenter
from tests.conftest import two_squares
from tests.fakes import ThresholdEngine
from tests.orientations import canonical, stored

VOLUME = np.repeat(two_squares()[None, ..., 0], 6, axis=0)
TRUTH = (VOLUME > 100) * np.where(np.arange(64) < 30, 5, 2).astype(np.uint8)  # the left square 5, the right one 2


def convert(*arguments: str | Path) -> int:
    return main(["convert", *map(str, arguments)])


def test_a_volume_and_its_truth_become_a_case_and_its_labels_come_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Image and truth are stored in different orders, in the image's every axis is another one and two are flipped."""
    image = stored(VOLUME, np.array([[1, 1], [2, -1], [0, -1]]))
    truth = stored(TRUTH, np.array([[0, -1], [1, 1], [2, 1]]))
    image.to_filename(tmp_path / "scan.nii.gz")
    truth.to_filename(tmp_path / "truth.nii")
    assert convert(tmp_path / "scan.nii.gz", "-o", tmp_path / "cases", "--truth", tmp_path / "truth.nii") == 0
    assert "scan: labels are numbered as their boxes: 2 to 1, 5 to 2" in capsys.readouterr().err
    with np.load(tmp_path / "cases" / "scan.npz") as case:
        np.testing.assert_array_equal(case["imgs"], VOLUME)
        np.testing.assert_array_equal(case["gts"], np.array([0, 0, 1, 0, 0, 2])[TRUTH])
        assert case["boxes"].tolist() == [[40, 10, 0, 51, 21, 5], [10, 10, 0, 21, 21, 5]]
        assert case["spacing"].tolist() == [3, 2, 1]
    found = Segmenter(ThresholdEngine()).segment_case(read_case(tmp_path / "cases" / "scan.npz"), StageClock())
    np.savez(tmp_path / "scan.npz", segs=found)
    assert convert(tmp_path / "scan.npz", "-o", tmp_path / "back", "--like", tmp_path / "scan.nii.gz") == 0
    back = nibabel.load(tmp_path / "back" / "scan.nii.gz")
    assert isinstance(back, Nifti1Image)
    np.testing.assert_array_equal(back.affine, image.affine)
    assert set(np.unique(found)) == {0, 1, 2}
    np.testing.assert_array_equal(canonical(back), found)


def test_a_folder_is_converted_file_by_file_and_a_bad_one_fails_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("in", "boxes", "truth"):
        (tmp_path / folder).mkdir()
    for name in "ab":
        cv2.imwrite(str(tmp_path / "in" / f"{name}.png"), two_squares()[..., 0])
        (tmp_path / "boxes" / f"{name}.json").write_text(json.dumps({"boxes": [{"box": [5, 5, 25, 25], "label": 5}]}))
    (tmp_path / "in" / "c.nii").write_bytes(b"damaged")
    cv2.imwrite(str(tmp_path / "truth" / "a.png"), TRUTH[0])
    given = ("--boxes", tmp_path / "boxes", "--truth", tmp_path / "truth")
    assert convert(tmp_path / "in", "-o", tmp_path / "out", *given) == 1
    said = capsys.readouterr().err
    assert "b.png: needs one file of its name in" in said
    assert "c.nii: " in said
    assert "labels of the truth without a box are left out: 2" in said
    assert "1 written, 2 failed of 3" in said
    with np.load(tmp_path / "out" / "a.npz") as case:
        np.testing.assert_array_equal(case["imgs"], two_squares())
        np.testing.assert_array_equal(case["gts"], TRUTH[0] == 5)


def test_what_would_be_lost_or_cannot_be_meant_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image, truth = tmp_path / "a.png", tmp_path / "truth.png"
    cv2.imwrite(str(image), two_squares()[..., 0])
    cv2.imwrite(str(truth), TRUTH[0])
    np.savez(tmp_path / "a.npz", segs=TRUTH[0])
    np.savez(tmp_path / "wide.npz", segs=np.zeros((48, 65), np.uint8))
    before, out = image.read_bytes(), tmp_path / "out"
    for arguments, code, message in (
        ((image, "-o", out), 1, "a.png: has no boxes; give them with --box or --boxes"),
        (
            (image, "-o", out, "--truth", truth, "--box", "1,1,9,9,2", "--box", "2,2,9,9,2"),
            1,
            "two boxes have one label",
        ),
        ((tmp_path / "a.npz", "-o", tmp_path, "--like", image), 1, "a.npz: would overwrite"),
        (
            (tmp_path / "wide.npz", "-o", out, "--like", image),
            1,
            "labels of shape (48, 65), expected the image's (48, 64)",
        ),
        ((tmp_path / "a.npz", "-o", out, "--like", image, "--truth", truth), 2, "--like takes none of"),
        ((image, "-o", out, "--truth", tmp_path / "none.png"), 2, "does not exist"),
    ):
        assert convert(*arguments) == code
        assert message in capsys.readouterr().err
    assert image.read_bytes() == before
