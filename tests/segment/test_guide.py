"""Points and scribbles drawn on a first prediction."""

from __future__ import annotations

import numpy as np
import pytest

from app.prompts.rules import PromptStyle
from app.segment.segmenter import Segmenter
from tests.conftest import two_squares
from tests.fakes import ThresholdEngine


def test_a_first_prediction_from_the_box_says_where_points_and_scribbles_lie(engine: ThresholdEngine) -> None:
    picture = np.maximum(two_squares(), 1)
    picture[0, 0] = 0  # so that all else is visible
    Segmenter(engine, PromptStyle(guide="prediction")).set_image(picture).segment([[6, 6, 30, 30], [36, 6, 60, 30]])
    first, complete = engine.prompts[:2], engine.prompts[2:]
    assert all(prompt.points is None and prompt.scribble is None for prompt in first)
    bright = engine.encode(np.repeat(picture[None, None, ..., 0] / 255, 3, 1).astype(np.float32))[0].maps > 0.5
    assert not bright.all()
    for prompt in complete:
        assert prompt.points is not None
        assert prompt.scribble is not None
        rows, columns = (prompt.points[:, axis].astype(int) // 4 for axis in (1, 0))
        assert bright[rows, columns].all()
        assert prompt.scribble.any()


@pytest.mark.parametrize("brightness", [20, 0])
def test_an_empty_prediction_leaves_the_visible_pixels(engine: ThresholdEngine, brightness: int) -> None:
    picture = np.full((64, 64), brightness, np.uint8)
    picture[0, 0], picture[63, 63] = 0, 200
    Segmenter(engine, PromptStyle(guide="prediction")).set_image(picture).segment([[10, 10, 50, 50]])
    points = engine.prompts[-1].points
    assert points is not None
    centre = (points == 120).all()  # of the box, where nothing is visible
    assert centre == (brightness == 0)
