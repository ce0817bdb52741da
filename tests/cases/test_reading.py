"""Bad and odd input: what each kind of file gives, in words (issue list of hostile and broken cases)."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from app.arrays import AnyArray
from app.cases.boxes import as_boxes, fit_boxes
from app.cases.case import empty_labels
from app.cases.challenge import read_case, write_segmentation
from app.cases.intensities import to_grey_levels
from app.cases.make_case import make_case
from app.errors import CaseError
from tests.conftest import CaseWriter, two_squares

VOLUME = np.zeros((5, 48, 64), np.uint8)


def broken_files(folder: Path) -> dict[Path, str]:
    """Files that cannot be read, with a piece of the message that each must give."""
    whole = folder / "whole.npz"
    np.savez(whole, imgs=two_squares(), boxes=np.array([[1, 2, 3, 4]]))
    content = whole.read_bytes()
    files = {
        "no_zip": (b"this is text", "not a zip archive"),
        "empty": (b"", "cut short"),
        "truncated": (content[: len(content) // 2], "cut short"),
        "npy": (b"\x93NUMPY" + b"\0" * 30, "single .npy array"),
        "flipped": (content[:300] + bytes([content[300] ^ 255]) + content[301:], "damaged"),
    }
    for name, (data, _) in files.items():
        (folder / f"{name}.npz").write_bytes(data)
    expected = {folder / f"{name}.npz": message for name, (_, message) in files.items()}
    with zipfile.ZipFile(folder / "text_inside.npz", "w") as archive:
        archive.writestr("imgs.npy", "hello")
        archive.writestr("boxes.npy", "hello")
    single = folder / "single.npz"
    with single.open("wb") as file:
        np.save(file, two_squares())
    return expected | {folder / "text_inside.npz": "imgs is no NumPy array", single: "single .npy array"}


def test_files_that_are_no_case_are_named_with_the_reason(tmp_path: Path) -> None:
    for path, message in broken_files(tmp_path).items():
        with pytest.raises(CaseError, match=message) as caught:
            read_case(path)
        assert str(caught.value).startswith(path.name)


def test_missing_arrays_are_named_with_what_is_there(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", gts=np.zeros(3), boxes=np.zeros((1, 4)))
    with pytest.raises(CaseError, match=r"a\.npz: has no imgs; it holds: gts, boxes"):
        read_case(tmp_path / "a.npz")


def test_pickled_objects_are_never_loaded(write_case: CaseWriter, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (str(tmp_path / "exploded"),)

    path = write_case(imgs=np.array([Bomb()], dtype=object))
    with pytest.raises(CaseError, match="pickled objects, which are never loaded"):
        read_case(path)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    ("imgs", "boxes", "message"),
    [
        (two_squares(), np.array([[1, 2, np.nan, 4]]), "box 1: x_max is nan, expected a whole number"),
        (two_squares(), np.array([[1, 2, 3, 4], [1, -np.inf, 3, 4]]), "box 2: y_min is -inf"),
        (two_squares(), np.array([[1, 2.5, 3, 4]]), "box 1: y_min is 2.5, expected a whole number"),
        (two_squares(), np.array([[1, 2, 3, 2**40]]), "box 1: y_max is 1099511627776"),
        (two_squares(), np.array([["a", "b", "c", "d"]]), "boxes has type <U1"),
        (two_squares(), np.array([[1, 2, 3]]), r"boxes has shape \(1, 3\)"),
        (two_squares(), np.array(5), r"boxes has shape \(\)"),
        (VOLUME, np.array([[1, 2, 3, 4]]), r"boxes of six numbers \(N, 6\)"),
        (two_squares()[..., 0], np.array([[1, 2, 0, 3, 4, 0]]), "need a volume"),
        (np.zeros((4, 5, 6, 7), np.uint8), np.array([[1, 2, 0, 3, 4, 0]]), r"imgs has shape \(4, 5, 6, 7\)"),
        (np.zeros((0, 64, 3), np.uint8), np.array([[1, 2, 3, 4]]), r"imgs has shape \(0, 64, 3\)"),
        (np.full((48, 64), np.nan), np.array([[1, 2, 3, 4]]), "NaN or infinite"),
        (two_squares().astype(np.complex64), np.array([[1, 2, 3, 4]]), "type complex64"),
    ],
)
def test_values_that_cannot_be_meant_are_named(
    write_case: CaseWriter, imgs: AnyArray, boxes: AnyArray, message: str
) -> None:
    path = write_case(imgs=imgs, boxes=boxes)
    with pytest.raises(CaseError, match=rf"^{path.name}: .*{message}"):
        read_case(path)


@pytest.mark.parametrize(
    ("boxes", "fitted", "note"),
    [
        ([[25, 30, 5, 10]], [[5, 10, 25, 30]], "box 1: corners were swapped"),
        ([[-5, 10, 25, 300]], [[0, 10, 25, 48]], "box 1: reached beyond the image of 64 x 48, clipped"),
        ([[1, 2, 3, 4], [100, 10, 200, 30]], [[1, 2, 3, 4], [64, 10, 64, 30]], "box 2: lies wholly outside"),
        ([[7, 7, 7, 20]], [[7, 7, 7, 20]], "box 1: has no width or no height"),
        ([1, 2, 3, 4], [[1, 2, 3, 4]], None),
        ([[1.0, 2.0, 3.0, 4.0]], [[1, 2, 3, 4]], None),
        ([[0, 0, 64, 48]], [[0, 0, 64, 48]], None),
    ],
)
def test_boxes_are_put_right_and_every_change_is_said(
    write_case: CaseWriter, boxes: list[object], fitted: list[list[int]], note: str | None
) -> None:
    case = read_case(write_case(boxes=np.array(boxes)))
    np.testing.assert_array_equal(case.boxes, fitted)
    assert case.boxes.dtype == np.int64
    assert [text.startswith(note or "") for text in case.notes] == ([True] if note else [])


@given(
    hnp.arrays(np.int64, st.tuples(st.integers(0, 5), st.just(6)), elements=st.integers(-300, 300)),
    st.tuples(*[st.integers(1, 100)] * 3),
)
def test_fitted_boxes_are_ordered_and_inside(boxes: AnyArray, extent: tuple[int, int, int]) -> None:
    fitted, inside, _ = fit_boxes(boxes, extent)
    assert (fitted[:, :3] <= fitted[:, 3:]).all()
    assert (fitted >= 0).all()
    assert (fitted[:, 3:] <= np.array(extent) - [0, 0, 1]).all()
    for box, touches in zip(boxes.tolist(), inside.tolist(), strict=True):
        sides = zip(box[:3], box[3:], extent, strict=True)
        assert touches == all(max(a, b) >= 0 and min(a, b) < n for a, b, n in sides)


@pytest.mark.parametrize("boxes", [np.zeros((0, 4)), np.zeros(0), np.zeros((0, 6))])
def test_no_boxes_are_no_error(boxes: AnyArray) -> None:
    case = make_case("2DBox", two_squares(), as_boxes(boxes))
    assert case.boxes.shape == (0, 4)
    assert make_case("3DBox", VOLUME, as_boxes(boxes)).boxes.shape == (0, 6)


def test_contents_decide_over_the_name_and_it_is_said(write_case: CaseWriter) -> None:
    volume = read_case(write_case("2DBox_CT_0001", imgs=VOLUME, boxes=np.array([[1, 2, 0, 3, 4, 4]])))
    assert volume.is_volume
    assert volume.notes == ("the name says 2D, the contents are a volume and treated as one",)
    picture = read_case(write_case("3DBox_CT_0001"))
    assert not picture.is_volume
    assert picture.notes == ("the name says 3D, the contents are a picture and treated as one",)


@pytest.mark.parametrize(
    ("stored", "read"),
    [([3, 1.5, 1], (3, 1.5, 1)), ([3, 0, 1], None), ([[3, 1, 1]], None), (["a", "b", "c"], None)],
)
def test_a_volumes_spacing_is_read_where_it_can_be_used(
    write_case: CaseWriter, stored: AnyArray, read: tuple[float, float, float] | None
) -> None:
    boxes = np.array([[1, 2, 0, 3, 4, 4]])
    assert read_case(write_case("a", imgs=VOLUME, boxes=boxes, spacing=np.array(stored))).spacing_mm == read
    assert read_case(write_case("b", imgs=VOLUME, boxes=boxes)).spacing_mm is None


@pytest.mark.parametrize(
    ("pixels", "levels", "note"),
    [
        (np.array([[0, 255]], np.uint16), [[0, 255]], None),
        (np.array([[0, 1000]], np.uint16), [[0, 255]], "scaled linearly"),
        (np.array([[-1000, 1000]], np.int32), [[0, 255]], "for CT apply a window first"),
        (np.array([[0.0, 0.5, 1.0]]), [[0, 128, 255]], "multiplied by 255"),
        (np.array([[0.0, 100.4, 255.0]], np.float32), [[0, 100, 255]], None),
        (np.array([[False, True]]), [[0, 255]], "truth values"),
        (np.array([[7, 7]], np.int8), [[7, 7]], None),
        (np.array([[-(2**63), 2**63 - 1]]), [[0, 255]], "scaled linearly"),
        (np.array([[-3.0, -3.0]]), [[0, 0]], "scaled linearly"),
    ],
)
def test_any_number_type_becomes_grey_levels(pixels: AnyArray, levels: list[list[int]], note: str | None) -> None:
    found, said = to_grey_levels(pixels)
    np.testing.assert_array_equal(found, levels)
    assert found.dtype == np.uint8
    assert (note in said) if note and said else said is None


def test_labels_widen_where_255_or_65535_are_not_enough() -> None:
    assert [empty_labels((2,), n).dtype for n in (255, 256, 65536)] == [np.uint8, np.uint16, np.uint32]


def test_an_output_is_an_ordinary_npz_and_carries_no_time(tmp_path: Path) -> None:
    labels = np.arange(1000, dtype=np.uint16).reshape(10, 100)
    write_segmentation(tmp_path / "case.npz", labels)
    with np.load(tmp_path / "case.npz") as arrays:
        assert arrays.files == ["segs"]
        assert arrays["segs"].dtype == np.uint16
        np.testing.assert_array_equal(arrays["segs"], labels)
    with zipfile.ZipFile(tmp_path / "case.npz") as archive:
        [entry] = archive.infolist()
    assert entry.date_time == (1980, 1, 1, 0, 0, 0)  # the format's zero


def test_an_output_that_cannot_be_finished_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: object, _: AnyArray) -> None:
        getattr(file, "write")(b"half")  # noqa: B009
        raise OSError(28, "No space left on device")

    target = tmp_path / "case.npz"
    target.write_bytes(b"the previous result")
    monkeypatch.setattr("app.cases.challenge.np.save", fail)
    with pytest.raises(OSError, match="No space"):
        write_segmentation(target, np.zeros((2, 2), np.uint8))
    assert [path.name for path in tmp_path.iterdir()] == ["case.npz"]
    assert target.read_bytes() == b"the previous result"
