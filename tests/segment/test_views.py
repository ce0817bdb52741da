"""Three views of a volume: what a view is, how they vote, what they cost."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from app.arrays import AnyArray, IntArray, LabelArray
from app.cases.make_case import make_case
from app.errors import CaseError
from app.prompts.prompt import Prompt, PromptMaker
from app.prompts.rules import PromptStyle
from app.segment.clock import StageClock
from app.segment.segmenter import Segmenter
from app.segment.slice_cache import SliceCache
from app.segment.strategy import Views
from app.segment.views import CORONAL, SAGITTAL, View
from app.segment.volume import EncodedVolume
from tests.fakes import ThresholdEngine


def segment(segmenter: Segmenter, volume: AnyArray, boxes: IntArray, views: Views = "axial") -> LabelArray:
    return segmenter.with_views(views).segment_case(make_case("volume", volume, boxes), StageClock())


def blocks() -> LabelArray:
    """(20, 48, 64): two bright blocks, one of which grows from slice to slice."""
    volume = np.full((20, 48, 64), 10, np.uint8)
    for z in range(4, 16):
        volume[z, 8 : 12 + z, 6:26] = 200
    volume[2:9, 30:44, 40:60] = 160
    return volume


@pytest.mark.parametrize(
    ("view", "axes", "turned"),
    [
        (CORONAL, (1, 0, 2), [[5, 4, 7, 26, 15, 28], [39, 2, 29, 60, 8, 44]]),
        (SAGITTAL, (2, 0, 1), [[7, 4, 5, 28, 15, 26], [29, 2, 39, 44, 8, 60]]),
    ],
)
def test_a_views_sweep_is_the_axial_sweep_of_the_volume_turned(
    view: View, axes: tuple[int, int, int], turned: list[list[int]]
) -> None:
    volume, boxes = blocks(), np.array([[5, 7, 4, 26, 28, 15], [39, 29, 2, 60, 44, 8]])
    expected = segment(Segmenter(ThresholdEngine()), volume.transpose(axes), np.array(turned))
    found = np.zeros_like(volume)
    encoded = EncodedVolume(view.volume(volume), ThresholdEngine(), SliceCache(0), batch=1)
    inside, maker = np.array([True, True]), PromptMaker("volume", PromptStyle())
    for label, index, mask in encoded.sweep(view.boxes(boxes, volume.shape), inside, maker, StageClock()):
        piece = view.piece(index, mask)
        found[piece.window] = np.maximum(found[piece.window], label * piece.voxels())
    assert set(np.unique(found)) == {0, 1, 2}
    np.testing.assert_array_equal(found.transpose(axes), expected)


@pytest.mark.parametrize(
    ("spacing", "box"),
    [
        ((4.0, 1.0, 1.0), [64, 51, 128, 179]),  # 10 x 4 rows beside 40 columns, 6.4 frame pixels each
        ((0.5, 0.5, 2.0), [64, 51, 128, 179]),  # as (x, y, z)
        (None, [64, 12, 128, 44]),
    ],
)
def test_further_views_see_pixels_made_square(
    engine: ThresholdEngine, spacing: tuple[float, float, float] | None, box: list[int]
) -> None:
    volume = Segmenter(engine, views="all").set_volume(np.ones((10, 40, 40), np.uint8), spacing_mm=spacing)
    volume.segment([10, 10, 2, 20, 20, 7])
    axial, coronal, sagittal = engine.prompts[0], engine.prompts[6], engine.prompts[-1]
    np.testing.assert_array_equal(axial.box, [64, 64, 128, 128])
    np.testing.assert_array_equal(coronal.box, box)
    np.testing.assert_array_equal(sagittal.box, box)


def test_a_spacing_of_no_length_is_an_error(segmenter: Segmenter) -> None:
    with pytest.raises(CaseError, match=r"spacing is \(3, 0, 1\), expected three positive numbers of mm"):
        segmenter.set_volume(blocks(), spacing_mm=(3, 0, 1))


def test_two_views_outvote_one(segmenter: Segmenter) -> None:
    volume = np.zeros((64, 64, 64), np.uint8)
    volume[20:44, 20:44, 20:44] = 200
    # 120 is above half of its coronal and sagittal slices' 200, but not of its axial slices' 255
    volume[20:24, 20:44, 20:44] = 120
    volume[20:24, 0, 0] = 255
    # 60 is above half of its axial slice's 60 alone
    volume[50, 20:44, 20:44] = 60
    box = np.array([[18, 18, 18, 46, 46, 52]])
    axial, all_views = (segment(segmenter, volume, box, views) > 0 for views in ("axial", "all"))
    inner = slice(22, 42)
    assert all_views[30, inner, inner].all()
    assert axial[30, inner, inner].all()
    assert all_views[21, inner, inner].all()
    assert not axial[21].any()
    assert not all_views[50].any()
    assert axial[50, inner, inner].all()


def test_the_later_object_wins_where_objects_overlap(segmenter: Segmenter) -> None:
    volume = np.zeros((40, 40, 40), np.uint8)
    volume[10:30, 10:30, 10:30] = 200
    boxes = np.array([[8, 8, 8, 32, 32, 32]] * 2)
    np.testing.assert_array_equal(np.unique(segment(segmenter, volume, boxes, "all")), [0, 2])


def test_each_view_draws_its_own_prompts_and_only_the_axial_ones_are_told(engine: ThresholdEngine) -> None:
    volume = np.full((40, 40, 40), 1, np.uint8)
    volume[10:30, 10:30, 10:30] = 200  # the same along each axis
    case = make_case("volume", volume, np.array([[8, 8, 8, 32, 32, 32]]))
    heard: dict[Views, list[Prompt]] = {"axial": [], "all": []}
    for views, prompts in heard.items():
        Segmenter(engine, views=views).segment_case(case, StageClock(), prompts.append)
    assert [prompt.slice_index for prompt in heard["all"]] == [*range(20, 33), *range(19, 7, -1)]
    for told, before in zip(heard["all"], heard["axial"], strict=True):
        np.testing.assert_array_equal(told.points, before.points)
        np.testing.assert_array_equal(told.scribble, before.scribble)
    drawn = {str([prompt.points for prompt in engine.prompts[i : i + 25]]) for i in (25, 50, 75)}
    assert len(drawn) == 3


def test_every_slice_of_every_view_is_encoded_once_and_kept(segmenter: Segmenter, engine: ThresholdEngine) -> None:
    box = np.array([5, 7, 4, 26, 28, 15])
    prepared = segmenter.with_views("all").set_volume(blocks())
    first = prepared.segment(box)
    assert engine.encoded == (15 - 4 + 1) + (28 - 7 + 1) + (26 - 5 + 1)
    np.testing.assert_array_equal(prepared.segment(box), first)
    assert engine.encoded == 56


def test_boxes_that_end_at_the_border_or_outside_the_volume_harm_nothing(segmenter: Segmenter) -> None:
    volume = np.zeros((6, 32, 32, 3), np.uint8)
    volume[:, 20:, 20:] = 200
    labels = segment(segmenter, volume, np.array([[18, 18, 0, 32, 32, 9], [40, 40, 0, 50, 50, 5]]), "all")
    np.testing.assert_array_equal(np.unique(labels), [0, 1])
    assert labels[:5, 22:, 22:].all()


def test_masks_wait_for_the_vote_as_bits_of_their_windows(engine: ThresholdEngine) -> None:
    """Ten objects would hold 24 MB as three boolean volumes each."""
    volume = np.zeros((50, 128, 128), np.uint8)
    volume[10:40, 40:70, 40:70] = 200
    segmenter = Segmenter(engine, PromptStyle(parts="box"), memory=1)
    boxes = np.array([[38, 38, 8, 72, 72, 42]] * 10)
    tracemalloc.start()
    try:
        assert segment(segmenter, volume, boxes, "all").any()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20
