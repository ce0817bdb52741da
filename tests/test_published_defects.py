"""Defects of the published inference script that gave wrong results or ended a run (inference.md section 8).

Each test fails on code that has the defect. Those of reading files are in cases/, of isolation in segment/.
"""

from __future__ import annotations

import numpy as np
import pytest

from app.arrays import AnyArray, LabelArray
from app.cases.boxes import as_boxes
from app.cases.make_case import make_case
from app.frame import PlacedMask
from app.prompts.points import draw_points
from app.segment.clock import StageClock
from app.segment.segmenter import Segmenter
from tests.conftest import two_squares
from tests.fakes import ThresholdEngine


def bright_column(depth: int = 20, height: int = 64, width: int = 64) -> AnyArray:
    """(D, H, W) volume with a bright square at rows and columns 20..39 of every slice."""
    volume = np.full((depth, height, width), 10, np.uint8)
    volume[:, 20:40, 20:40] = 200
    return volume


def segment(segmenter: Segmenter, imgs: AnyArray, boxes: AnyArray, name: str = "case") -> LabelArray:
    return segmenter.segment_case(make_case(name, imgs, as_boxes(boxes)), StageClock())


def slices_with_object(labels: LabelArray, label: int = 1) -> list[int]:
    return [z for z, plane in enumerate(labels) if (plane == label).any()]


@pytest.mark.parametrize(("z_min", "z_max"), [(0, 19), (4, 5), (4, 6), (7, 7)])
def test_d1_d2_every_slice_of_the_box_is_segmented_both_ends_too(segmenter: Segmenter, z_min: int, z_max: int) -> None:
    labels = segment(segmenter, bright_column(), np.array([[18, 18, z_min, 42, 42, z_max]]))
    assert slices_with_object(labels) == list(range(z_min, z_max + 1))


def test_d3_a_box_beyond_the_last_slice_is_clipped(segmenter: Segmenter) -> None:
    labels = segment(segmenter, bright_column(), np.array([[18, 18, 15, 42, 42, 30]]))
    assert slices_with_object(labels) == [15, 16, 17, 18, 19]


def test_d4_more_than_255_objects_keep_their_labels(segmenter: Segmenter) -> None:
    picture = np.zeros((256, 256), np.uint8)
    picture[::12, ::12] = 255
    corners = [(x, y) for y in range(0, 240, 12) for x in range(0, 180, 12)]
    labels = segment(segmenter, picture, np.array([(x, y, x + 2, y + 2) for x, y in corners]))
    assert len(corners) == 300
    assert labels.dtype == np.uint16
    assert [int(labels[y, x]) for x, y in corners] == list(range(1, 301))


def test_d5_a_mask_that_vanishes_when_resized_falls_back_to_the_given_box(
    segmenter: Segmenter, engine: ThresholdEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = np.zeros((3, 512, 512), np.uint8)
    one_pixel = PlacedMask((slice(200, 201), slice(200, 201)), np.ones((1, 1), bool))
    monkeypatch.setattr("app.frame.Geometry.logits_to_mask", lambda *_: one_pixel)
    segment(segmenter, volume, np.array([[101, 101, 0, 301, 301, 2]]))
    assert [prompt.box.tolist() for prompt in engine.prompts] == [[50, 50, 150, 150]] * 3


def test_d6_the_given_box_is_truncated_in_both_sweeps(segmenter: Segmenter, engine: ThresholdEngine) -> None:
    # a dark volume: every mask is empty, so every slice falls back to the given box; scale is 0.5
    segment(segmenter, np.zeros((5, 512, 512), np.uint8), np.array([[91, 93, 0, 121, 125, 4]]))
    assert [prompt.box.tolist() for prompt in engine.prompts] == [[45, 46, 60, 62]] * 5


def test_d7_the_propagated_box_does_not_depend_on_the_objects_number(
    segmenter: Segmenter, engine: ThresholdEngine
) -> None:
    box = [33, 35, 0, 77, 73, 6]
    segment(segmenter, bright_column(7, 300, 411), np.array([box] * 4))
    by_label = [[p.box.tolist() for p in engine.prompts if p.label == label] for label in (1, 2, 3, 4)]
    assert len(by_label[0]) == 7
    assert all(boxes == by_label[0] for boxes in by_label[1:])


def test_d8_points_lie_on_the_diagonal_band_that_is_visible() -> None:
    rows, columns = np.indices((256, 256))
    band = np.abs(rows - columns) < 6
    box = np.array([20, 20, 220, 220])
    for seed in range(50):
        points = draw_points(box, band, "code", np.random.default_rng(seed)).astype(int)
        off = [(x, y) for x, y in points.tolist() if not band[y, x] and (x, y) != (120, 120)]
        assert not off


def test_d9_each_slice_is_encoded_once_for_all_objects(segmenter: Segmenter, engine: ThresholdEngine) -> None:
    boxes = np.array(
        [[18, 18, low, 42, 42, high] for low, high in [(0, 19), (2, 9), (5, 5), (10, 19), (1, 18), (0, 3)]]
    )
    segment(segmenter, bright_column(), boxes)
    assert engine.encoded == 20


def test_d10_objects_of_a_slice_decode_as_one_batch_with_the_same_result(segmenter: Segmenter) -> None:
    together = segment(segmenter, two_squares(), np.array([[5, 5, 25, 25], [35, 5, 55, 25]]))
    first = segment(segmenter, two_squares(), np.array([[5, 5, 25, 25]]))
    np.testing.assert_array_equal(together == 1, first == 1)
    assert (together == 2).sum() > 0


def test_d11_an_object_does_not_depend_on_the_others_of_its_case(segmenter: Segmenter, engine: ThresholdEngine) -> None:
    segment(segmenter, two_squares(), np.array([[5, 5, 25, 25], [35, 5, 55, 25]]))
    segment(segmenter, two_squares(), np.array([[35, 5, 60, 40], [35, 5, 55, 25]]))
    _, first, _, second = engine.prompts
    assert first.points is not None
    assert second.points is not None
    np.testing.assert_array_equal(first.points, second.points)
    np.testing.assert_array_equal(first.scribble, second.scribble)


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 1), (48, 64, 3), (48, 64, 4)])
def test_d14_grey_and_rgba_pictures_are_taken(segmenter: Segmenter, shape: tuple[int, ...]) -> None:
    colour = two_squares()
    alpha = np.full((48, 64, 1), 255, np.uint8)
    picture = {(): colour[..., 0], (1,): colour[..., :1], (3,): colour, (4,): np.concatenate([colour, alpha], -1)}
    labels = segment(segmenter, picture[shape[2:]], np.array([[5, 5, 25, 25]]))
    np.testing.assert_array_equal(labels, segment(segmenter, colour, np.array([[5, 5, 25, 25]])))
    assert labels.shape == (48, 64)


@pytest.mark.parametrize("shape", [(4, 3000), (3000, 4), (1, 300), (300, 1), (1, 1)])
def test_d15_d16_extreme_shapes_are_segmented(segmenter: Segmenter, shape: tuple[int, int]) -> None:
    picture = np.zeros(shape, np.uint8)
    picture[: shape[0] // 2 + 1, : shape[1] // 2 + 1] = 255
    labels = segment(segmenter, picture, np.array([[0, 0, shape[1], shape[0]]]))
    assert labels.shape == shape


def test_d20_small_integer_boxes_do_not_overflow(segmenter: Segmenter, engine: ThresholdEngine) -> None:
    segment(segmenter, np.full((256, 256), 200, np.uint8), np.array([[180, 180, 240, 240]], np.uint8))
    [prompt] = engine.prompts
    assert prompt.points is not None
    # a constant picture has no visible pixel, so all four points are the centre of the box
    np.testing.assert_array_equal(prompt.points, [[210, 210]] * 4)


def test_d26_colour_slices_are_segmented_like_grey_ones(segmenter: Segmenter) -> None:
    grey = bright_column(3)
    boxes = np.array([[18, 18, 0, 42, 42, 2]])
    labels = segment(segmenter, np.repeat(grey[..., None], 3, axis=-1), boxes)
    np.testing.assert_array_equal(labels, segment(segmenter, grey, boxes))
    assert labels.shape == grey.shape
