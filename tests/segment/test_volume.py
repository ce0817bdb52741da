"""The sweep over a volume: against the published baseline, its number of encoder calls, its memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.arrays import LabelArray
from app.cases.make_case import make_case
from app.frame import SIDE, Geometry, PlacedMask
from app.memory import needed_memory
from app.prompts.prompt import Prompt, box_around
from app.segment import volume
from app.segment.clock import StageClock
from app.segment.segmenter import Segmenter, load_segmenter
from tests.fakes import ThresholdEngine


def test_the_sweep_reproduces_the_published_baseline(reference: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With defect D7 put back (the label's number decides rounding), every call has the published box."""
    published = np.load(reference / "volume_litemedsam.npz")
    case = make_case("volume", published["imgs"], published["boxes"])
    calls: list[list[int]] = []

    def listen(prompt: Prompt) -> None:
        calls.append([prompt.label, prompt.slice_index, *prompt.box.tolist()])

    def move_on_with_d7(track: volume._Track, z: int, mask: PlacedMask, geometry: Geometry) -> None:
        import cv2

        height, width = geometry.resized
        painted = geometry.whole(mask).astype(np.uint8) * track.label
        in_frame = np.zeros((SIDE, SIDE), bool)
        in_frame[:height, :width] = cv2.resize(painted, (width, height), interpolation=cv2.INTER_AREA)
        track.propagated = box_around(in_frame)
        if z == track.middle:
            track.propagated_from_middle = track.propagated

    monkeypatch.setattr(volume._Track, "move_on", move_on_with_d7)
    labels = load_segmenter("litemedsam").segment_case(case, StageClock(), listen)
    assert sorted(calls) == sorted(published["calls"][:, :6].tolist())
    assert np.count_nonzero(labels != published["segs"]) <= 20


class HeavyEngine(ThresholdEngine):
    """Features so large that a small cache holds few slices; it counts encoder calls as its parent does."""

    feature_bytes = 10 << 20


boxes_3d = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, 11)).map(lambda z: [18, 18, min(z), 42, 42, max(z)]),
    min_size=1,
    max_size=6,
)


def column(depth: int = 12) -> LabelArray:
    scan = np.full((depth, 64, 64), 10, np.uint8)
    for z in range(depth):
        scan[z, 20 : 30 + z, 20:40] = 200
    return scan


def segment(engine: ThresholdEngine, boxes: list[list[int]], spare_bytes: int) -> LabelArray:
    case = make_case("volume", column(), np.array(boxes))
    memory = needed_memory(case.image.shape) + spare_bytes
    return Segmenter(engine, memory=memory).segment_case(case, StageClock())


@pytest.mark.parametrize(("kept", "encoded"), [(0, 12), (70 << 20, 14)])
def test_what_the_caller_keeps_is_taken_from_the_cache(kept: int, encoded: int) -> None:
    """Middles at 4 and 6: slices 4 and 5 are met on the way up from one, and on the way down from the other."""
    case, engine = (
        make_case("volume", column(), np.array([[18, 18, 0, 42, 42, 9], [18, 18, 2, 42, 42, 11]])),
        HeavyEngine(),
    )
    segmenter = Segmenter(engine, memory=needed_memory(case.image.shape) + (70 << 20))
    segmenter.segment_case(case, StageClock(), kept_bytes=kept)
    assert engine.encoded == encoded


@settings(max_examples=40, deadline=None)
@given(boxes_3d, st.integers(0, 6))
def test_slices_are_encoded_once_with_room_and_at_most_twice_without(boxes: list[list[int]], room: int) -> None:
    reached = {z for box in boxes for z in range(box[2], box[5] + 1)}
    roomy, cramped = HeavyEngine(), HeavyEngine()
    whole = segment(roomy, boxes, spare_bytes=1 << 30)
    assert roomy.encoded == len(reached)
    np.testing.assert_array_equal(segment(cramped, boxes, spare_bytes=room * 11 << 20), whole)
    assert cramped.encoded <= 2 * len(reached)


@settings(max_examples=40, deadline=None)
@given(boxes_3d)
def test_all_objects_together_equal_one_object_at_a_time(boxes: list[list[int]]) -> None:
    together = segment(HeavyEngine(), boxes, spare_bytes=1 << 30)
    painted = np.zeros_like(together)
    for k in range(len(boxes)):
        # the other boxes are pushed outside the volume, so that label and prompts stay the object's own
        alone = [box if i == k else [900, 900, 0, 901, 901, 0] for i, box in enumerate(boxes)]
        mask = segment(HeavyEngine(), alone, spare_bytes=1 << 30) == k + 1
        painted[mask] = k + 1
    np.testing.assert_array_equal(together, painted)


def test_a_volume_that_is_set_once_keeps_its_slices_for_the_next_boxes(
    segmenter: Segmenter, engine: ThresholdEngine
) -> None:
    prepared = segmenter.set_volume(column())
    first = prepared.segment(np.array([18, 18, 2, 42, 42, 9]))
    assert engine.encoded == 8
    np.testing.assert_array_equal(prepared.segment(np.array([18, 18, 2, 42, 42, 9])), first)
    assert engine.encoded == 8
