"""`swinlite train distill` from end to end: teacher, student, pictures, loop, and the student's weights at the end."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ..networks.models import ARCHITECTURES, PromptableModel
from ..weights.load import is_read, load_weights
from ..weights.publish import write_safetensors
from .distillation import Distillation, embedding_similarity
from .loop import Schedule, Trainer
from .picture_store import PictureStore
from .shards import read_pictures
from .warm_start import warm_start

TEACHER = "litemedsam"
STUDENT = "swin-litemedsam"
STUDENT_FILE = "student.safetensors"


@dataclass(frozen=True)
class Lesson:
    """What a distillation run has come to."""

    steps: int
    pictures: int
    resumed: bool
    weights: Path
    similarity: float | None  # cosine of the embeddings on the validation pictures, of the averaged weights


def distill(
    sources: Sequence[Path],
    folder: Path,
    schedule: Schedule,
    batch: int,
    device: torch.device,
    *,
    validation: Sequence[Path] = (),
    time_budget: float = math.inf,
    tick: Callable[[int], None] = lambda _: None,
) -> Lesson:
    """Teach Swin-LiteMedSAM's encoder, going on from the folder's checkpoint where there is one.

    Writes checkpoint, curve and the averaged weights as a whole model (its decoder is the warm start's, not
    yet trained). Raises InputError and WeightsError.
    """
    torch.manual_seed(schedule.seed)
    folder.mkdir(parents=True, exist_ok=True)
    teacher, student = _teacher(), ARCHITECTURES[STUDENT].build()
    student.load_state_dict(warm_start(student.state_dict(), teacher.state_dict()))
    teacher, student = teacher.to(device), student.to(device)
    pictures = PictureStore(read_pictures(sources), device)
    trainer = Trainer(
        Distillation(student.image_encoder, teacher.image_encoder, pictures, batch), schedule, folder, device
    )
    resumed = trainer.resume()
    trainer.run(time_budget, tick)
    student.image_encoder.load_state_dict(trainer.ema)
    weights = folder / STUDENT_FILE
    write_safetensors(weights, STUDENT, {n: t for n, t in student.state_dict().items() if is_read(n)}, "float32")
    similarity = None
    if validation:
        seen = PictureStore(read_pictures(validation), device)
        similarity = embedding_similarity(student.image_encoder.eval(), teacher.image_encoder, seen)
    return Lesson(trainer.step, len(pictures), resumed, weights, similarity)


def _teacher() -> PromptableModel:
    model = ARCHITECTURES[TEACHER].build()
    model.load_state_dict(load_weights(TEACHER).tensors, strict=False)  # BatchNorm's counters are not in it
    return model.eval()
