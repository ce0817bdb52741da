"""Stage 2: the whole model learns masks (paper section 2.3): Dice, BCE and the IoU that it predicts of itself.

Beyond the paper: a part of the prompts are boxes anywhere on a picture with the teacher's own mask as target,
so that what the teacher knows of things that the data lack is not forgotten.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..networks.models import PromptableModel
from .augmentation import augment
from .draws import chance, uniform
from .picture_store import PictureStore
from .prompt_batches import boxes_around, make_prompts, rectangles

SMALLEST_OBJECT = 16  # frame pixels
SMOOTH = 1e-5


class Finetuning:
    """The loop's stage; `rehearsal` is the share of prompts whose truth is the teacher's mask."""

    def __init__(
        self,
        model: PromptableModel,
        teacher: PromptableModel,
        pictures: PictureStore,
        batch: int,
        rehearsal: float = 0.3,
        freeze_encoder: bool = False,
    ) -> None:
        self.model = model
        self._teacher = teacher.eval().requires_grad_(False)
        self._pictures = pictures
        self._batch = batch
        self._rehearsal = rehearsal
        self._frozen = freeze_encoder
        self.settings: dict[str, str | float] = {
            "stage": "finetune",
            "batch": batch,
            "rehearsal": rehearsal,
            "freeze_encoder": freeze_encoder,
        }
        if freeze_encoder:
            model.image_encoder.requires_grad_(False)

    def losses(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Losses of one batch, one object a picture; objects that left the frame count nothing."""
        frames, targets = self._frames_and_targets(generator)
        present = targets.sum((1, 2)) >= SMALLEST_OBJECT
        masks = (targets > 0.5) | ~present[:, None, None]  # a full mask where none is, never counted
        prompts = make_prompts(masks, frames.amax(1) > 0, generator)
        with torch.autocast(frames.device.type, torch.bfloat16):
            if self._frozen:
                self.model.image_encoder.eval()  # else its BatchNorm would go on learning
            logits, iou = self.model.decode(self.model.encode(frames), *prompts)
        return mask_losses(logits.float(), iou.float(), targets, present)

    def _frames_and_targets(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        store = self._pictures
        chosen = store.draw(self._batch, generator)
        frames, labels = augment(store.pixels[chosen], store.labels[chosen], store.sizes[chosen], generator)
        targets = (labels == random_label(labels, generator)[:, None, None]).float()
        rehearsed = chance(self._rehearsal, generator, len(frames))
        if rehearsed.any():
            targets[rehearsed] = self._teachers_masks(frames[rehearsed], generator)
        return frames, targets

    @torch.no_grad()
    def _teachers_masks(self, frames: Tensor, generator: torch.Generator) -> Tensor:
        """Soft masks (B, 256, 256) that the teacher finds in random boxes on the content of frames."""
        content = boxes_around(frames.amax(1) > 0)
        ends = uniform(0, 1, generator, len(frames), 2, 2)
        low, high = ends.amin(1), ends.amax(1)
        size = content[:, 2:] - content[:, :2]
        boxes = torch.cat([content[:, :2] + low * size, content[:, :2] + high * size], dim=1).round()
        with torch.autocast(frames.device.type, torch.bfloat16):
            logits, _ = self._teacher.decode(self._teacher.encode(frames), boxes)
        return torch.sigmoid(logits.float()) * rectangles(boxes)


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
