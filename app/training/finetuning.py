"""Stage 2: the whole model learns masks (paper section 2.3): Dice, BCE and the IoU that it predicts of itself.

Beyond the paper: a part of the prompts are boxes anywhere on a picture with the teacher's own mask as target,
so that what the teacher knows of things that the data lack is not forgotten; a part of the boxes are as
imperfect as those of slice propagation; a part of the steps show boxes alone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..networks.models import PromptableModel
from ..networks.swin_encoder import EncoderOutput
from ..prompts.rules import Guide
from .augmentation import augment
from .draws import chance
from .frozen_encoder import Encode, autocast
from .loop import ParameterGroup
from .picture_store import PictureStore
from .prompt_batches import boxes_around, draw_inside, imperfect, loosen, random_boxes
from .warm_start import is_copied

SMALLEST_OBJECT = 16  # frame pixels
SMOOTH = 1e-5


@dataclass(frozen=True)
class Recipe:
    """How stage 2 teaches; shares are of prompts, but `box_only` of steps."""

    batch: int = 16  # pictures a step (paper)
    prompts_each: int = 1  # prompts a picture
    rehearsal: float = 0.3  # boxes anywhere, with the teacher's mask as truth
    imperfect: float = 0.0  # boxes like those of slice propagation
    box_only: float = 0.0  # neither points nor scribble
    guide: Guide = "image"
    freeze_encoder: bool = False
    copied_rate: float = 1.0  # learning rate of what the teacher's weights began, by that of what began fresh


class Finetuning:
    """The loop's stage. `encode` stands in for the model's image encoder where that is frozen."""

    def __init__(
        self,
        model: PromptableModel,
        teacher: PromptableModel,
        pictures: PictureStore,
        recipe: Recipe,
        encode: Encode | None = None,
    ) -> None:
        self.model = model
        self.samples_a_step = recipe.batch * recipe.prompts_each
        self.settings = {"stage": "finetune", "pictures": len(pictures), **asdict(recipe)}
        self._teacher = teacher.eval().requires_grad_(False)
        self._pictures = pictures
        self._recipe = recipe
        self._encode = encode or model.image_encoder
        if recipe.freeze_encoder:
            model.image_encoder.requires_grad_(False)

    def parameter_groups(self) -> list[ParameterGroup]:
        """What is trained: what began fresh, and at a rate of its own what the teacher's weights began."""
        trained = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        fresh = [p for name, p in trained.items() if not is_copied(name)]
        copied = [p for name, p in trained.items() if is_copied(name)]
        return [ParameterGroup(fresh, 1.0), ParameterGroup(copied, self._recipe.copied_rate)]

    def losses(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Losses of one batch; objects that left the frame count nothing."""
        store, each = self._pictures, self._recipe.prompts_each
        chosen = store.draw(self._recipe.batch, generator)
        frames, labels = augment(store.pixels[chosen], store.labels[chosen], store.sizes[chosen], generator)
        with autocast(frames):
            if self._recipe.freeze_encoder:
                self.model.image_encoder.eval()  # else its BatchNorm would go on learning
            encoded = self._encode(frames)
            maps = tuple(m.repeat_interleave(each, 0) for m in self.model.mask_decoder.image_maps(encoded))
        boxes, targets = self._objects(frames, labels, encoded, generator)
        present = targets.sum((1, 2)) >= SMALLEST_OBJECT
        visible = (frames.amax(1) > 0).repeat_interleave(each, 0)
        logits, iou = self._decode(maps, boxes, targets > 0.5, visible, generator)
        return mask_losses(logits.float(), iou.float(), targets, present)

    def _objects(
        self, frames: Tensor, labels: Tensor, encoded: EncoderOutput, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Boxes (N, 4) and masks (N, 256, 256) in 0..1, N prompts for B frames; an empty mask where none is found."""
        each = self._recipe.prompts_each
        labels = labels.repeat_interleave(each, 0)
        targets = (labels == random_label(labels, generator)[:, None, None]).float()
        # A full mask stands in where there is none; it is never counted.
        tight = boxes_around((targets > 0.5) | (targets.sum((1, 2)) == 0)[:, None, None])
        propagated = chance(self._recipe.imperfect, generator, len(tight))
        boxes = torch.where(propagated[:, None], imperfect(tight, generator), loosen(tight, generator))
        anywhere = random_boxes(boxes_around(frames.amax(1) > 0).repeat_interleave(each, 0), generator)
        rehearsed = chance(self._recipe.rehearsal, generator, len(tight))
        if rehearsed.any():
            boxes[rehearsed] = anywhere[rehearsed]
            source = torch.arange(len(frames), device=frames.device).repeat_interleave(each)[rehearsed]
            targets[rehearsed] = self._teachers_masks(frames, encoded, source, anywhere[rehearsed])
        return boxes, targets

    @torch.no_grad()
    def _teachers_masks(self, frames: Tensor, encoded: EncoderOutput, source: Tensor, boxes: Tensor) -> Tensor:
        """Soft masks (N, 256, 256) that the teacher finds in boxes (N, 4) on the frames numbered `source` (N,)."""
        with autocast(frames):
            if self.model.image_encoder is not self._teacher.image_encoder:
                encoded = self._teacher.image_encoder(frames)
            maps = tuple(m[source] for m in self._teacher.mask_decoder.image_maps(encoded))
            logits, _ = self._teacher.decode(maps, boxes)
        return torch.sigmoid(logits.float())

    def _decode(
        self, maps: tuple[Tensor, ...], boxes: Tensor, masks: Tensor, visible: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Logits and IoU of one prompt each; points and scribbles half by training's rule, half by inference's."""
        with autocast(boxes):
            if chance(self._recipe.box_only, generator, 1):
                return self.model.decode(maps, boxes)
            if self._recipe.guide == "prediction":
                with torch.no_grad():
                    first = self.model.decode(maps, boxes)[0] > 0
                visible = first & visible | visible & ~first.any((1, 2), keepdim=True)
            return self.model.decode(maps, boxes, *draw_inside(boxes, masks, visible, generator))


def random_label(labels: Tensor, generator: torch.Generator) -> Tensor:
    """One of the labels above 0 of each map (B, 256, 256), uniformly; -1 where no object is large enough."""
    flat = labels.flatten(1).long()
    areas = torch.zeros(len(flat), int(flat.max()) + 1, device=labels.device)
    areas.scatter_add_(1, flat, torch.ones_like(flat, dtype=areas.dtype))
    areas[:, 0] = 0
    eligible = areas >= SMALLEST_OBJECT
    tickets = torch.rand(eligible.shape, generator=generator, device=labels.device) * eligible
    highest, label = tickets.max(1)
    return torch.where(highest > 0, label, -1).to(labels.dtype)


def mask_losses(logits: Tensor, iou: Tensor, targets: Tensor, counted: Tensor) -> dict[str, Tensor]:
    """Dice with squared denominator, BCE, and squared error of the predicted IoU, all of weight 1 (paper section 2.3).

    logits, targets (B, 256, 256), targets in 0..1; iou, counted (B,). Means over the counted samples.
    """
    found = torch.sigmoid(logits)
    overlap = 2 * (found * targets).sum((1, 2)) + SMOOTH
    dice = 1 - overlap / ((found**2).sum((1, 2)) + (targets**2).sum((1, 2)) + SMOOTH)
    cross_entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none").mean((1, 2))
    positive, true = logits.detach() > 0, targets > 0.5
    union = (positive | true).sum((1, 2)).clamp(min=1)
    error = (iou - (positive & true).sum((1, 2)) / union) ** 2
    weights = counted / counted.sum().clamp(min=1)
    return {
        "dice": (dice * weights).sum(),
        "cross_entropy": (cross_entropy * weights).sum(),
        "iou": (error * weights).sum(),
    }
