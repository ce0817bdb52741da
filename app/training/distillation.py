"""Stage 1: the student's image encoder learns to give what the teacher's gives (paper section 2.3).

The paper compares embeddings alone. Here the skip connections are compared too, since the teacher's maps have
the same shapes, so that a decoder trained on the teacher's maps fits the student.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .augmentation import augment, plain_frames
from .frozen_encoder import Encode, autocast
from .loop import ParameterGroup
from .picture_store import PictureStore

SKIP_WEIGHT = 0.25


class Distillation:
    """The loop's stage: L1 between embeddings, and between skips in units of the teacher's own spread."""

    def __init__(self, student: nn.Module, teacher: Encode, pictures: PictureStore, batch: int) -> None:
        nn.utils.convert_conv2d_weight_memory_format(student, torch.channels_last)
        self.model = student
        self._teacher = teacher
        self._pictures = pictures
        self.samples_a_step = batch
        self.settings: dict[str, str | float] = {"stage": "distill", "batch": batch, "pictures": len(pictures)}

    def parameter_groups(self) -> list[ParameterGroup]:
        """The whole encoder."""
        return [ParameterGroup(list(self.model.parameters()), 1.0)]

    def losses(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Losses of one batch; the student runs in bfloat16, the comparison in float32."""
        store = self._pictures
        chosen = store.draw(self.samples_a_step, generator)
        frames, _ = augment(store.pixels[chosen], store.labels[chosen], store.sizes[chosen], generator)
        target = self._teacher(frames)
        with autocast(frames):
            found = self.model(frames.contiguous(memory_format=torch.channels_last))
        losses = {"embedding": F.l1_loss(found.embedding.float(), target.embedding.float())}
        for i, (ours, theirs) in enumerate(zip(found.skips, target.skips, strict=True)):
            spread = theirs.float().std()
            losses[f"skip{i}"] = SKIP_WEIGHT * F.l1_loss(ours.float(), theirs.float()) / spread
        return losses


@torch.inference_mode()
def embedding_similarity(student: nn.Module, teacher: nn.Module, pictures: PictureStore, batch: int = 8) -> float:
    """Mean cosine similarity of the two embeddings over all pixels of all pictures, without augmentation."""
    total = 0.0
    for start in range(0, len(pictures), batch):
        part = slice(start, start + batch)
        frames = plain_frames(pictures.pixels[part], pictures.sizes[part])
        with autocast(frames):
            ours, theirs = student(frames).embedding, teacher(frames).embedding
        total += float(F.cosine_similarity(ours.float(), theirs.float(), dim=1).mean((1, 2)).sum())
    return total / len(pictures)
