"""Stage 2's prompts and losses, against the rules and against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from app.prompts.scribble import draw_scribble
from app.training.finetuning import mask_losses, random_label
from app.training.prompt_batches import boxes_around, loosen, make_prompts, rectangles


def squares(*corners: tuple[int, int, int, int]) -> torch.Tensor:
    """Masks (B, 256, 256) of rectangles x0, y0, x1, y1, ends included."""
    masks = torch.zeros(len(corners), 256, 256, dtype=torch.bool)
    for mask, (x0, y0, x1, y1) in zip(masks, corners, strict=True):
        mask[y0 : y1 + 1, x0 : x1 + 1] = True
    return masks


def test_boxes_are_extents_and_loosen_outward_within_the_frame() -> None:
    masks = squares((10, 20, 30, 60), (0, 0, 255, 255), (7, 9, 7, 9))
    boxes = boxes_around(masks)
    assert boxes.tolist() == [[10, 20, 30, 60], [0, 0, 255, 255], [7, 9, 7, 9]]
    generator = torch.Generator().manual_seed(0)
    drawn = torch.stack([loosen(boxes, generator) for _ in range(200)])
    assert drawn[:, 0].amin(0).tolist() == [5, 15, 30, 60]
    assert drawn[:, 0].amax(0).tolist() == [10, 20, 35, 65]
    assert (int(drawn[:, 1].amin()), int(drawn[:, 1].amax())) == (0, 256)


def test_prompts_lie_inside_their_boxes_on_what_their_rule_allows() -> None:
    masks = squares((40, 50, 160, 200)).expand(64, -1, -1).clone()
    masks[:, 100:140, 80:120] = False  # a hole
    visible = torch.ones_like(masks)
    visible[:, :, 150:] = False
    boxes, points, scribbles = make_prompts(masks, visible, torch.Generator().manual_seed(0))
    x, y = points[..., 0].long(), points[..., 1].long()
    assert (points >= boxes[:, None, :2]).all()
    assert (points <= boxes[:, None, 2:]).all()
    sample = torch.arange(64)[:, None]
    on_mask, on_visible = masks[sample, y, x].all(1), visible[sample, y, x].all(1)
    assert (on_mask | on_visible).all()
    assert 16 < int(on_mask.sum()) < 60  # about half by training's rule, and some by chance
    assert not (scribbles.bool() & ~rectangles(boxes)).any()
    assert set(scribbles.flatten().tolist()) == {0, 1}


def test_scribbles_are_about_as_large_as_those_of_inference() -> None:
    masks = squares((20, 20, 220, 220)).expand(200, -1, -1)
    _, _, scribbles = make_prompts(masks, torch.ones_like(masks), torch.Generator().manual_seed(1))
    box, everywhere = np.array([20, 20, 220, 220]), np.ones((256, 256), bool)
    one_by_one = [draw_scribble(box, everywhere, "code", np.random.default_rng(i)).sum() for i in range(200)]
    assert 0.6 < float(scribbles.sum((1, 2)).median()) / float(np.median(one_by_one)) < 1.6


def test_a_random_label_is_present_and_large_enough() -> None:
    labels = torch.zeros(3, 256, 256, dtype=torch.int16)
    labels[0, :10, :10], labels[0, 50:60, :10], labels[0, 90, 90] = 2, 7, 5
    labels[1, :10, :10] = 300
    generator = torch.Generator().manual_seed(0)
    drawn = [random_label(labels, generator).tolist() for _ in range(40)]
    assert {row[0] for row in drawn} == {2, 7}  # label 5 is a single pixel
    assert {tuple(row[1:]) for row in drawn} == {(300, -1)}


def test_losses_by_hand() -> None:
    """Two samples; the second is not counted. Of 65536 pixels the truth has 100, the network is sure of 50 of them."""
    targets, logits = torch.zeros(2, 256, 256), torch.full((2, 256, 256), -40.0)
    targets[0, 0, :100] = 1
    logits[0, 0, :50] = 40
    losses = mask_losses(logits, torch.tensor([0.75, 9.0]), targets, torch.tensor([True, False]))
    assert float(losses["dice"]) == pytest.approx(1 - 2 * 50 / (50 + 100), abs=1e-4)
    assert float(losses["cross_entropy"]) == pytest.approx(50 * 40 / 65536, rel=1e-4)
    assert float(losses["iou"]) == pytest.approx((0.75 - 0.5) ** 2, abs=1e-6)
    none = mask_losses(logits, torch.zeros(2), targets, torch.tensor([False, False]))
    assert all(float(loss) == 0 and math.isfinite(float(loss)) for loss in none.values())
