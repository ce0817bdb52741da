"""Stage 2's prompts and losses, against the rules and against numbers worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from app.networks.models import ARCHITECTURES, PromptableModel
from app.prompts.rules import Guide
from app.prompts.scribble import draw_scribble
from app.training.finetuning import Finetuning, Recipe, mask_losses, random_label
from app.training.picture_store import PictureStore
from app.training.prompt_batches import boxes_around, draw_inside, imperfect, loosen, random_boxes, rectangles
from app.training.shards import TrainingPicture
from app.training.warm_start import warm_start
from app.weights.load import load_weights


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


def test_imperfect_boxes_stay_boxes_around_the_object() -> None:
    tight = torch.tensor([[100.0, 100, 140, 180], [0, 0, 255, 255], [30, 40, 30, 40]]).repeat(2000, 1)
    boxes = imperfect(tight, torch.Generator().manual_seed(0)).reshape(2000, 3, 4)
    assert (boxes[..., 2:] > boxes[..., :2]).all()
    assert (int(boxes.amin()), int(boxes.amax())) == (0, 256)
    assert (boxes[:, 2] == torch.tensor([27, 37, 33, 43])).all()  # nothing but the margin on a single pixel
    # A side moves outward by the margin of 3, and in the mean by a quarter of the 17.5 % of the excess.
    outward = (100 - boxes[:, 0, 0]).mean(), (boxes[:, 0, 3] - 180).mean()
    assert [float(by) for by in outward] == pytest.approx([3 + 40 * 0.175 / 4, 3 + 80 * 0.175 / 4], abs=0.5)
    assert (boxes[:, 0, 0] > 100).any()


def test_random_boxes_lie_on_the_content_in_order() -> None:
    boxes = random_boxes(torch.tensor([[0.0, 0, 255, 99]]).expand(500, -1), torch.Generator().manual_seed(0))
    assert (boxes[:, :2] <= boxes[:, 2:]).all()
    assert boxes.amin(0).tolist()[:2] == pytest.approx([0, 0], abs=5)
    assert boxes.amax(0).tolist()[2:] == pytest.approx([255, 99], abs=5)


def test_prompts_lie_inside_their_boxes_on_what_their_rule_allows() -> None:
    masks = squares((40, 50, 160, 200)).expand(64, -1, -1).clone()
    masks[:, 100:140, 80:120] = False  # a hole
    visible = torch.ones_like(masks)
    visible[:, :, 150:] = False
    generator = torch.Generator().manual_seed(0)
    boxes = loosen(boxes_around(masks), generator)
    points, scribbles = draw_inside(boxes, masks, visible, generator)
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
    _, scribbles = draw_inside(boxes_around(masks), masks, torch.ones_like(masks), torch.Generator().manual_seed(1))
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


@pytest.fixture(scope="module")
def teacher() -> PromptableModel:
    model = ARCHITECTURES["litemedsam"].build()
    model.load_state_dict(load_weights("litemedsam").tensors, strict=False)
    return model


@pytest.fixture(scope="module")
def squares_on_grey() -> PictureStore:
    image, labels = np.full((256, 256, 3), 60, np.uint8), np.zeros((256, 256), np.uint16)
    image[40:120, 60:150], labels[40:120, 60:150] = 180, 1
    image[150:230, 30:100], labels[150:230, 30:100] = 230, 2
    return PictureStore([TrainingPicture("CT", "squares", image, labels)], torch.device("cpu"))


def test_who_rehearses_itself_has_nothing_to_learn(teacher: PromptableModel, squares_on_grey: PictureStore) -> None:
    """Box alone, its own mask as truth: the Dice loss is 0, and that on masks that exist."""
    recipe = Recipe(batch=1, prompts_each=3, rehearsal=1.0, box_only=1.0, freeze_encoder=True)
    itself = Finetuning(teacher, teacher, squares_on_grey, recipe)
    losses = itself.losses(torch.Generator().manual_seed(3))
    assert float(losses["dice"]) == pytest.approx(0, abs=1e-3)
    assert float(losses["iou"]) > 0
    from_data = Finetuning(teacher, teacher, squares_on_grey, replace(recipe, rehearsal=0.0))
    assert float(from_data.losses(torch.Generator().manual_seed(3))["dice"]) > 0.01


def test_a_frozen_encoder_is_not_trained_and_copied_numbers_learn_at_their_own_rate(
    teacher: PromptableModel, squares_on_grey: PictureStore
) -> None:
    student = ARCHITECTURES["litemedsam-skip"].build()
    student.load_state_dict(warm_start(student.state_dict(), teacher.state_dict()))
    student.image_encoder = teacher.image_encoder
    stage = Finetuning(student, teacher, squares_on_grey, Recipe(freeze_encoder=True, copied_rate=0.1))
    fresh, copied = stage.parameter_groups()
    assert (fresh.rate_factor, copied.rate_factor) == (1.0, 0.1)
    names = {id(p): name for name, p in student.named_parameters()}
    modules = {".".join(names[id(p)].split(".")[:3]) for p in fresh.parameters}
    assert modules == {
        *(f"mask_decoder.neck.{i}" for i in range(4)),
        *(f"mask_decoder.output_upscaling1.{i}" for i in (0, 1, 3)),
        "mask_decoder.output_upscaling2.0",
    }
    assert not any(names[id(p)].startswith("image_encoder.") for p in copied.parameters)
    assert len(fresh.parameters) + len(copied.parameters) == len(list(student.parameters())) - len(
        list(student.image_encoder.parameters())
    )


@pytest.mark.parametrize("guide", ["image", "prediction"])
def test_a_step_gives_every_trained_part_a_gradient(
    guide: Guide, teacher: PromptableModel, squares_on_grey: PictureStore
) -> None:
    student = ARCHITECTURES["litemedsam-skip"].build()
    student.load_state_dict(warm_start(student.state_dict(), teacher.state_dict()))
    student.image_encoder = teacher.image_encoder
    recipe = Recipe(batch=1, prompts_each=6, rehearsal=0.5, imperfect=0.5, guide=guide, freeze_encoder=True)
    losses = Finetuning(student, teacher, squares_on_grey, recipe).losses(torch.Generator().manual_seed(0))
    torch.autograd.backward(sum(losses.values(), start=torch.zeros(())))
    without = {name for name, p in student.named_parameters() if p.grad is None or not p.grad.any()}
    never_read = {"prompt_encoder.not_a_point_embed.weight", "prompt_encoder.no_mask_embed.weight",
                  "prompt_encoder.point_embeddings.0.weight"}  # fmt: skip
    outside = {name for name in without if not name.startswith(("image_encoder.", "mask_decoder.output_hypernetworks"))}
    # A bias of an image's keys changes no softmax.
    assert {name for name in outside if not name.endswith("token_to_image.k_proj.bias")} == never_read
