"""PNG, JPEG and TIFF: seen as viewers show them, label maps in PNG."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.arrays import AnyArray
from app.cases.given_boxes import boxes_from_options
from app.cases.open_case import OpenCase, Request, open_case, save_labels
from app.errors import CaseError
from tests.conftest import two_squares

GREY = two_squares()[..., 0]
EXIF_TURN_LEFT = (  # a JPEG's segment that says: the camera was held so that viewers turn by 270 degrees
    b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0\0\0\0\0"
)


def write(path: Path, picture: AnyArray) -> Path:
    assert cv2.imwrite(str(path), picture)
    return path


def opened(path: Path, box: str = "5,5,25,25") -> OpenCase:
    return open_case(path, Request(boxes=boxes_from_options([box])))


@pytest.mark.parametrize("ending", [".png", ".PNG", ".tif", ".tiff"])
def test_grey_of_8_bit_is_kept(tmp_path: Path, ending: str) -> None:
    np.testing.assert_array_equal(opened(write(tmp_path / f"a{ending}", GREY)).case.image, GREY)


def test_colours_are_red_first_and_opacity_is_left_out(tmp_path: Path) -> None:
    blue_green_red_opaque = np.dstack([GREY, GREY // 2, GREY // 4, np.full_like(GREY, 9)])
    image = opened(write(tmp_path / "a.png", blue_green_red_opaque)).case.image
    np.testing.assert_array_equal(image, np.dstack([GREY // 4, GREY // 2, GREY]))


@pytest.mark.parametrize(("ending", "dtype"), [(".png", np.uint16), (".tif", np.uint16), (".tif", np.float32)])
def test_more_than_8_bits_are_scaled_by_percentiles(tmp_path: Path, ending: str, dtype: type) -> None:
    ramp: AnyArray = np.arange(2001).reshape(29, 69).astype(dtype) * 10
    image = opened(write(tmp_path / f"a{ending}", ramp)).case.image.ravel()
    # of 10, 20 ... 20000 the 0.5th percentile is 110.0 (10 + 0.005 * 19990), the 99.5th 19900.05
    assert image[[0, 10, 11, 1000, 1990, 2000]].tolist() == [0, 0, 0, 127, 255, 255]
    assert image[1000] == round((10000 - 109.95) / (19900.05 - 109.95) * 255)


def test_a_photograph_is_turned_as_its_exif_says_and_so_is_its_mask(tmp_path: Path) -> None:
    content = cv2.imencode(".jpg", GREY)[1].tobytes()
    (tmp_path / "a.jpg").write_bytes(content[:2] + EXIF_TURN_LEFT + content[2:])
    case = opened(tmp_path / "a.jpg")
    assert case.case.image.shape == (64, 48)
    save_labels(tmp_path / "a.png", np.ones((64, 48), np.uint8), case)
    assert opened(tmp_path / "a.png").case.image.shape == (64, 48)


@pytest.mark.parametrize(("label", "dtype"), [(7, np.uint8), (255, np.uint8), (256, np.uint16), (65535, np.uint16)])
def test_a_label_map_is_a_png_as_deep_as_its_labels_need(tmp_path: Path, label: int, dtype: type) -> None:
    case = opened(write(tmp_path / "a.png", GREY), f"5,5,25,25,{label}")
    save_labels(tmp_path / "out.png", (GREY > 100).astype(np.uint8), case)
    found = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
    assert found is not None
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, (GREY > 100) * label)


def test_pictures_that_cannot_be_read_are_named_with_the_reason(tmp_path: Path) -> None:
    content = cv2.imencode(".png", GREY)[1].tobytes()
    (tmp_path / "cut.png").write_bytes(content[:-30])
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.tif").write_text("no picture")
    assert cv2.imwritemulti(str(tmp_path / "stack.tiff"), [GREY, GREY])
    for name, message in {
        "cut.png": "no picture that can be decoded",
        "empty.jpg": "no picture that can be decoded",
        "text.tif": "no picture that can be decoded",
        "stack.tiff": "holds several pages, expected one",
        "missing.png": "No such file",
    }.items():
        with pytest.raises(CaseError, match=message) as caught:
            opened(tmp_path / name)
        assert str(caught.value).startswith(f"{name}: ")
