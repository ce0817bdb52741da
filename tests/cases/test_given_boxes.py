"""Boxes beside an image: options, JSON, CSV, masks, folders of them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest

from app.arrays import AnyArray
from app.cases.geometry import VolumeGeometry
from app.cases.given_boxes import BoxSource, boxes_from_options, boxes_from_path
from app.cases.scan import Scan
from app.errors import CaseError, InputError
from tests.orientations import AFFINE, stored

PICTURE = Scan("a", np.zeros((48, 64), np.uint8))
VOLUME = Scan("v", np.zeros((4, 5, 6), np.uint8), VolumeGeometry.from_affine((4, 5, 6), AFFINE))


def placed(source: BoxSource, scan: Scan = PICTURE) -> tuple[list[list[int]], list[int], list[str]]:
    boxes, structures = source(scan)
    return boxes.tolist(), [one.label for one in structures], [one.name for one in structures]


def written(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def test_boxes_of_options_have_their_number_or_the_label_given() -> None:
    found = placed(boxes_from_options(["1,2,3,4", "5,6,7,8,30", "9, 9, 10, 10"]))
    assert found == ([[1, 2, 3, 4], [5, 6, 7, 8], [9, 9, 10, 10]], [1, 30, 3], ["Object 1", "Object 30", "Object 3"])
    assert placed(boxes_from_options(["0,1,2,3,4,3,9"]), VOLUME)[:2] == ([[0, 1, 2, 3, 4, 3]], [9])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3", "expected four numbers for a picture or six for a volume"),
        ("a,b,c,d", "expected four numbers"),
        ("1,2,3.5,4", "x_max is 3.5, expected a whole number"),
        ("1,2,nan,4", "expected four numbers"),
        ("1,2,3,4,0", "label is '0', expected a whole number in 1..65535"),
        ("1,2,3,4,liver", "label is 'liver'"),
    ],
)
def test_options_that_cannot_be_meant_are_said_before_any_work(text: str, message: str) -> None:
    with pytest.raises(InputError, match=f"--box {text}.*{message}"):
        boxes_from_options([text])


def test_json_and_csv_say_the_same(tmp_path: Path) -> None:
    listed = [
        {"box": [1, 2, 3, 4], "name": "liver", "label": 6},
        {"box": [5, 6, 7, 8], "case": "b"},
        {"box": [5, 6, 7, 9], "case": "a.png"},
    ]
    as_json = written(tmp_path / "boxes.json", json.dumps({"boxes": listed}))
    rows = "x_min,y_min,x_max,y_max,label,name,case\n1,2,3,4,6,liver,\n5,6,7,8,,,b\n5,6,7,9,,,a.png\n"
    as_csv = written(tmp_path / "boxes.csv", rows)
    expected = ([[1, 2, 3, 4], [5, 6, 7, 9]], [6, 3], ["liver", "Object 3"])
    assert placed(boxes_from_path(as_json)) == placed(boxes_from_path(as_csv)) == expected


def test_millimetres_are_ras_or_lps_as_the_file_says(tmp_path: Path) -> None:
    """By AFFINE the voxels x 1 to 3, y 0 to 2, z 1 to 2 have their centres at RAS (9, 20, 33) to (7, 16, 36) mm."""
    header = "space,x_min,y_min,z_min,x_max,y_max,z_max\n"
    rows = "ras_mm,7,16,33,9,20,36\nlps_mm,-7,-16,33,-9,-20,36\nvoxel,1,0,1,3,2,2\n"
    source = boxes_from_path(written(tmp_path / "boxes.csv", header + rows))
    assert placed(source, VOLUME)[0] == [[1, 0, 1, 3, 2, 2]] * 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "no readable JSON"),
        ("[]", "expected {"),
        ('{"boxes": [[1, 2, 3, 4]]}', "expected {"),
        ('{"boxes": [{"box": [1, 2]}]}', "box 1 is"),
        ('{"boxes": [{"label": 1}]}', "box 1 is None"),
        ('{"boxes": [{"box": [1, 2, 3, 4], "label": 70000}]}', "label is 70000"),
        ('{"space": "mm", "boxes": [{"box": [1, 2, 3, 4]}]}', "space is 'mm', expected one of voxel, ras_mm, lps_mm"),
    ],
)
def test_files_that_cannot_be_meant_are_said_before_any_work(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"^boxes\.json: .*{message}"):
        boxes_from_path(written(tmp_path / "boxes.json", content))


def test_files_beyond_all_measure_are_said_in_few_words(tmp_path: Path) -> None:
    for content, message in {
        "[" * 100_000: "nested too deeply",
        " " * 32_100_000: "32.1 MB, expected at most 32 MB",
        f'{{"boxes": [{{"box": [1, 2, 3, 1{"0" * 400}]}}]}}': "expected four numbers",
        f'{{"boxes": [{{"box": [1, 2, 3, 4], "label": "{"1" * 5000}"}}]}}': r"label is '1+\.\.\.1+', expected",
    }.items():
        with pytest.raises(InputError, match=message) as caught:
            boxes_from_path(written(tmp_path / "boxes.json", content))
        assert len(str(caught.value)) < 200


def test_boxes_that_do_not_fit_the_case_are_its_error(tmp_path: Path) -> None:
    mm = boxes_from_path(written(tmp_path / "a.json", '{"space": "ras_mm", "boxes": [{"box": [1, 2, 3, 4]}]}'))
    other = boxes_from_path(written(tmp_path / "b.json", '{"boxes": [{"box": [1, 2, 3, 4], "case": "b"}]}'))
    for source, scan, message in (
        (boxes_from_options(["1,2,0,3,4,1"]), PICTURE, "is a picture, whose boxes have 4 numbers; found one of 6"),
        (boxes_from_options(["1,2,3,4"]), VOLUME, "is a volume, whose boxes have 6 numbers; found one of 4"),
        (mm, PICTURE, "is a picture, whose boxes are in pixels"),
        (other, PICTURE, "has no box of its own in b.json"),
        (boxes_from_path(tmp_path), VOLUME, "needs one file of its name in .*, found none"),
    ):
        with pytest.raises(CaseError, match=message):
            source(scan)


def labels_of(shape: tuple[int, ...]) -> AnyArray:
    """3 at the first pixel or voxel and its neighbour in x, 5 at the last."""
    labels = np.zeros(shape, np.uint8)
    labels.flat[[0, 1]], labels.flat[-1] = 3, 5
    return labels


def test_the_labels_of_a_mask_are_boxed(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), labels_of((48, 64)))
    np.savez(tmp_path / "b.npz", gts=labels_of((48, 64)))
    for source in (boxes_from_path(tmp_path / "a.png"), boxes_from_path(tmp_path / "b.npz"), boxes_from_path(tmp_path)):
        assert placed(source) == ([[0, 0, 1, 0], [63, 47, 63, 47]], [3, 5], ["Object 3", "Object 5"])


def test_a_mask_may_be_stored_in_another_order_than_its_volume_but_not_lie_elsewhere(tmp_path: Path) -> None:
    turned = stored(labels_of((4, 5, 6)).astype(np.float32), np.array([[2, 1], [0, -1], [1, 1]]))
    turned.to_filename(tmp_path / "mask.nii.gz")
    found = placed(boxes_from_path(tmp_path / "mask.nii.gz"), VOLUME)
    assert found == ([[0, 0, 0, 1, 0, 0], [5, 4, 3, 5, 4, 3]], [3, 5], ["Object 3", "Object 5"])
    moved = AFFINE.copy()
    moved[0, 3] += 1
    nibabel.Nifti1Image(labels_of((4, 5, 6)).T, moved).to_filename(tmp_path / "moved.nii.gz")
    nibabel.Nifti1Image(labels_of((4, 5, 7)).T, AFFINE).to_filename(tmp_path / "wide.nii.gz")
    nibabel.Nifti1Image(labels_of((4, 5, 6)).T / np.float32(2), AFFINE).to_filename(tmp_path / "half.nii.gz")
    for name, message in (
        ("moved", "labels lie elsewhere in the patient"),
        ("wide", r"shape \(4, 5, 7\), expected the image's \(4, 5, 6\)"),
        ("half", "other values than whole numbers"),
    ):
        with pytest.raises(CaseError, match=rf"^{name}\.nii\.gz: .*{message}"):
            boxes_from_path(tmp_path / f"{name}.nii.gz")(VOLUME)
