"""Whatever arrays an `.npz` holds, it is a sound case or a CaseError, and a sound case has a sound label map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from app.arrays import AnyArray
from app.cases.case import Case
from app.cases.open_case import Request, open_case
from app.errors import CaseError
from app.segment.clock import StageClock
from app.segment.segmenter import Segmenter
from tests.fakes import ThresholdEngine

SIDES = st.integers(1, 9)
NUMBERS: st.SearchStrategy[Any] = st.one_of(
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64, 128)),
    hnp.boolean_dtypes(),
)
OTHERS: list[Any] = ["c8", ">c16", "M8[s]", "m8[D]", "S3", "<U2", [("a", "u1"), ("b", ">f4", (2,))]]
KINDS: st.SearchStrategy[Any] = st.one_of(NUMBERS, NUMBERS, st.sampled_from([np.dtype(kind) for kind in OTHERS]))
CHANNELS = st.sampled_from([1, 3, 4])
PICTURES = st.one_of(st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES, CHANNELS))
VOLUMES = st.one_of(st.tuples(SIDES, SIDES, SIDES), st.tuples(SIDES, SIDES, SIDES, CHANNELS))
ANY_SHAPE = hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4)
CORNERS = st.integers(-3, 12)


def any_order(array: AnyArray, fortran: bool) -> AnyArray:
    return np.asfortranarray(array) if fortran else array


def images(kinds: st.SearchStrategy[Any], shapes: st.SearchStrategy[Any]) -> st.SearchStrategy[AnyArray]:
    return st.builds(any_order, hnp.arrays(kinds, shapes), st.booleans())


def whole_boxes(width: int) -> st.SearchStrategy[AnyArray]:
    return hnp.arrays(np.int64, st.tuples(st.integers(0, 3), st.just(width)), elements=CORNERS)


def any_boxes() -> st.SearchStrategy[AnyArray]:
    return st.one_of(hnp.arrays(NUMBERS, st.tuples(st.integers(0, 2), st.just(4))), hnp.arrays(KINDS, ANY_SHAPE))


CASES = st.one_of(
    st.tuples(images(NUMBERS, PICTURES), whole_boxes(4)),
    st.tuples(images(NUMBERS, VOLUMES), whole_boxes(6)),
    st.tuples(images(KINDS, st.one_of(PICTURES, VOLUMES, ANY_SHAPE)), any_boxes()),
)


def require_sound(case: Case) -> None:
    """What `Case` promises."""
    axes = 3 if case.is_volume else 2
    assert case.image.dtype == np.uint8
    assert case.image.flags.c_contiguous
    assert case.image.ndim == axes or (case.image.ndim == axes + 1 and case.image.shape[-1] == 3)
    assert case.boxes.dtype == np.int64
    assert case.boxes.shape == (len(case.inside), 2 * axes)
    low, high = case.boxes[:, :axes], case.boxes[:, axes:]
    furthest = case.image.shape[axes - 1 :: -1] if axes == 2 else (*case.image.shape[2:0:-1], case.slices - 1)
    assert (low >= 0).all()
    assert (low <= high).all()
    assert (high <= np.array(furthest)).all()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any") / "2D_any_1.npz"


@settings(max_examples=150, derandomize=True, deadline=None)
@given(arrays=CASES)
def test_any_arrays_are_a_sound_case_or_a_case_error(path: Path, arrays: tuple[AnyArray, AnyArray]) -> None:
    np.savez(path, imgs=arrays[0], boxes=arrays[1])
    try:
        case = open_case(path, Request()).case
    except CaseError:
        return
    require_sound(case)
    labels = Segmenter(ThresholdEngine()).segment_case(case, StageClock())
    assert labels.shape == case.image.shape[: 2 + case.is_volume]
    assert set(np.unique(labels).tolist()) <= {0, *(np.flatnonzero(case.inside) + 1).tolist()}
    for k, box in enumerate(case.boxes.tolist() if case.is_volume else (), 1):
        assert not (labels == k)[: box[2]].any()
        assert not (labels == k)[box[5] + 1 :].any()
