"""Masks enlarged in their rectangle alone, against the whole image enlarged."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.arrays import FloatArray
from app.frame import SIDE, Geometry, PlacedMask

sides = st.integers(1, 700)


@st.composite
def some_logits(draw: st.DrawFn) -> FloatArray:
    """(256, 256), from a few scattered positive pixels to noise that is positive in places."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    logits = rng.normal(draw(st.sampled_from([-4.0, -2.0, 0.0])), 1, (SIDE, SIDE)).astype(np.float32)
    if draw(st.booleans()):
        logits = np.asarray(10 * cv2.GaussianBlur(logits, (0, 0), 3) + 2, np.float32)
    return logits


def enlarged(logits: FloatArray, height: int, width: int) -> FloatArray:
    """Bilinear in float32 over all pixels, columns first, pixel centres half a pixel from the border."""
    for length in (width, height):
        size = len(logits.T)
        position = np.clip((np.arange(length) + 0.5) * size / length - 0.5, 0, size - 1)
        left = np.floor(position).astype(int)
        right = np.minimum(left + 1, size - 1)
        fraction = (position - left).astype(np.float32)
        logits = ((logits[:, right] - logits[:, left]) * fraction + logits[:, left]).T
    return logits


@given(some_logits(), sides, sides)
def test_a_mask_in_its_rectangle_equals_the_whole_image_enlarged(logits: FloatArray, height: int, width: int) -> None:
    geometry = Geometry(height, width)
    rows, columns = geometry.resized
    mask = geometry.logits_to_mask(logits)
    whole = enlarged(logits[:rows, :columns], height, width)
    np.testing.assert_array_equal(geometry.whole(mask), whole > 0)
    opencv = cv2.resize(logits[:rows, :columns], (width, height), interpolation=cv2.INTER_LINEAR)
    # its rounding depends on the processor
    np.testing.assert_allclose(whole, opencv, rtol=0, atol=1e-5 * np.abs(logits).max())


def test_a_single_positive_pixel_reaches_halfway_to_its_neighbours() -> None:
    logits = np.full((SIDE, SIDE), -1.0, np.float32)
    logits[10, 20] = 1.0
    # twice enlarged, an image pixel is 3/4 of the nearer logit and 1/4 of the next on each axis:
    # 9/16 of the positive one in its own four pixels, less than half everywhere else
    mask = Geometry(512, 512).logits_to_mask(logits)
    assert mask.window == (slice(19, 23), slice(39, 43))
    np.testing.assert_array_equal(mask.pixels, np.pad(np.ones((2, 2), bool), 1))


def test_pixels_taller_than_wide_are_square_in_the_frame() -> None:
    geometry = Geometry(30, 100, pixel_height=3.0)
    assert geometry.resized == (230, 256)  # 90 : 100
    # 2.56 frame pixels a column, 7.68 a row
    np.testing.assert_array_equal(geometry.box_to_frame(np.array([10, 10, 20, 20])), [25, 76, 51, 153])


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_the_larger_label_wins_in_whatever_order_masks_are_painted(order: tuple[int, int]) -> None:
    masks = {k: PlacedMask((slice(0, 2), slice(k - 1, k + 1)), np.ones((2, 2), bool)) for k in order}
    labels = np.zeros((2, 4), np.uint8)
    for label in order:
        masks[label].paint(labels, label)
    np.testing.assert_array_equal(labels, [[1, 2, 2, 0]] * 2)
