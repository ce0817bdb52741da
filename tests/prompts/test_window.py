"""Where masks may lie, and what is decoded for it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.arrays import FloatArray
from app.prompts.prompt import Prompt
from app.prompts.window import OUTSIDE, Windows, windows_around
from tests.reference import whole_frame


def logits_of(windows: Windows) -> FloatArray:
    """Each of the frame's pixels with its own number, 1, 2, ... row by row, as an engine would give them."""
    frame = np.arange(1, 256 * 256 + 1, dtype=np.float32).reshape(64, 2, 2, 64, 2, 2)
    by_pixel = frame.transpose(0, 3, 1, 4, 2, 5).reshape(64 * 64, 16)
    return by_pixel[windows.pixels]


def test_a_box_is_widened_by_the_margin_and_to_whole_pixels_of_the_embedding() -> None:
    windows = windows_around([Prompt(1, 0, np.array([40, 80, 80, 100]))], margin=0.25)
    # 40 - 10 = 30, in pixel 7; 80 - 10 = 70, in 17; 80 + 10 = 90, in 22; 100 + 10 = 110, in 27
    assert windows.low.tolist() == [[7, 17]]
    assert windows.high.tolist() == [[23, 28]]
    assert windows.pixels[0, 0] == 17 * 64 + 7


corner = st.integers(0, 256)
boxes = st.tuples(corner, corner, corner, corner).map(lambda c: (*map(min, c[:2], c[2:]), *map(max, c[:2], c[2:])))


@given(st.lists(boxes, min_size=1, max_size=4), st.floats(0, 2))
def test_a_window_holds_its_box_and_keeps_its_logits_in_their_places(
    drawn: list[tuple[int, ...]], margin: float
) -> None:
    prompts = [Prompt(1, 0, np.array(box)) for box in drawn]
    windows = windows_around(prompts, margin)
    frames = windows.place(logits_of(windows))
    for frame, prompt in zip(frames, prompts, strict=True):
        kept = frame != OUTSIDE
        x0, y0, x1, y1 = prompt.box.clip(0, 255)
        assert kept[y0 : y1 + 1, x0 : x1 + 1].all()
        assert (frame[kept] == np.flatnonzero(kept) + 1).all()
        alone = windows_around([prompt], margin)
        np.testing.assert_array_equal(alone.place(logits_of(alone))[0], frame)


def test_the_whole_frame_leaves_nothing_out() -> None:
    windows = whole_frame(2)
    frames = windows.place(logits_of(windows))
    assert (frames.reshape(2, -1) == np.arange(1, 256 * 256 + 1)).all()
