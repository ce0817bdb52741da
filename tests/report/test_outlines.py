"""Outlines lie where masks end, and pictures stay within their share of a page."""

from __future__ import annotations

import numpy as np
import pytest

from app.report.detail import PAGE_BYTES, Detail, Extent, choose_detail, encode_picture
from app.report.outlines import box_path, outlines, points_path


def test_an_outline_runs_around_its_mask_in_thousandths_of_the_longest_side() -> None:
    labels = np.zeros((48, 64), np.uint8)
    labels[10:22, 40:52] = 3
    # 64 pixels are enlarged eightfold: from the middle of pixel 320 of 512 to that of 415, and of 80 to 175
    assert outlines(labels, 1) == [(3, "M626 157l0 0 0 186 186 0 0 -186z")]


def test_a_hole_has_an_outline_of_its_own_and_one_pixel_is_a_dot() -> None:
    labels = np.zeros((1000, 1000), np.uint8)
    labels[100:200, 100:200] = 1
    labels[140:160, 140:160] = 0
    labels[500, 700] = 2
    shapes = dict(outlines(labels, 1))
    assert shapes[1].count("M") == 2
    assert shapes[2] == "M700 500l0 0z"


def test_boxes_and_points_lie_in_the_same_units() -> None:
    assert box_path(np.array([5, 5, 25, 30]), 50) == "M100 100H500V600H100z"
    assert points_path(np.array([[63.5, 127.5]], np.float32)) == "M250 500h0"


def test_many_volumes_share_the_room_that_one_may_fill() -> None:
    ct = Extent(512, 512, slices=200, objects=600, volume=True)
    alone, together = choose_detail([ct]), choose_detail([ct] * 200)
    assert alone.scale(ct) == 1
    assert together.slices < alone.slices == 240
    pictures = 200 * together.pixels(ct) * together.bytes_a_pixel
    assert pictures * 4 / 3 + 200 * together.text(ct) == pytest.approx(PAGE_BYTES)


def test_a_picture_that_needs_more_than_its_share_gives_up_quality() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    free, bound = (len(encode_picture(noise, Detail(128, 128, 1, 1, share))) for share in (float("inf"), 0.5))
    assert bound <= 512 + 0.5 * 128 * 128 < free
