"""`swinlite train` from end to end: teacher, student, pictures, loop, and the student's weights at the end."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ..cases.discover import prepare_output_folder
from ..networks.models import ARCHITECTURES, PromptableModel
from ..weights.load import is_read, load_weights
from ..weights.publish import write_safetensors
from .distillation import Distillation, embedding_similarity
from .finetuning import Finetuning, Recipe
from .frozen_encoder import frozen_encoder
from .loop import Schedule, Trainer
from .picture_store import PictureStore
from .shards import read_pictures
from .warm_start import warm_start

TEACHER = "litemedsam"
STUDENT = "swin-litemedsam"
STUDENT_FILE = "student.safetensors"


@dataclass(frozen=True)
class Run:
    """What both stages share. `tick` hears the number of each step that is done."""

    sources: Sequence[Path]
    folder: Path
    schedule: Schedule
    device: torch.device
    student: str = STUDENT  # an architecture
    emphasis: Mapping[str, float] = field(default_factory=dict)  # modality to weight in sampling, 1 if not named
    time_budget: float = math.inf
    tick: Callable[[int], None] = lambda _: None


@dataclass(frozen=True)
class Lesson:
    """What a run has come to; `similarity` is that of the embeddings on validation pictures, where asked for."""

    steps: int
    pictures: int
    resumed: bool
    weights: Path
    similarity: float | None = None


def distill(run: Run, batch: int, validation: Sequence[Path] = ()) -> Lesson:
    """Stage 1: teach the student's encoder, going on from the folder's checkpoint where there is one.

    Writes checkpoint, curve and the averaged weights as a whole model, whose decoder is the warm start's and
    not trained yet. Raises InputError, CaseError and WeightsError.
    """
    teacher, student = _pair(run, weights=None)
    pictures = _pictures(run, labelled_only=False)
    stage = Distillation(student.image_encoder, teacher.image_encoder, pictures, batch)
    trainer, resumed = _train(run, stage)
    student.image_encoder.load_state_dict(trainer.ema)
    weights = _export(run, student.state_dict())
    similarity = None
    if validation:
        seen = PictureStore(read_pictures(validation), run.device)
        similarity = embedding_similarity(student.image_encoder.eval(), teacher.image_encoder, seen)
    return Lesson(trainer.step, len(pictures), resumed, weights, similarity)


def finetune(run: Run, recipe: Recipe, weights: Path | None) -> Lesson:
    """Stage 2: teach the whole student on masks, from `weights` of an earlier run or from the warm start.

    Writes checkpoint, curve and the averaged weights. Raises InputError, CaseError and WeightsError.
    """
    teacher, student = _pair(run, weights)
    encode = None
    if recipe.freeze_encoder:
        if _same_encoder(student, teacher):
            student.image_encoder = teacher.image_encoder
        encode = frozen_encoder(student.image_encoder, run.device, recipe.batch)
    pictures = _pictures(run, labelled_only=True)
    trainer, resumed = _train(run, Finetuning(student, teacher, pictures, recipe, encode))
    return Lesson(trainer.step, len(pictures), resumed, _export(run, trainer.ema))


def _pair(run: Run, weights: Path | None) -> tuple[PromptableModel, PromptableModel]:
    """Teacher and student on the run's device, once the run's folder is known to be writable."""
    prepare_output_folder(run.folder, ())
    torch.manual_seed(run.schedule.seed)
    teacher, student = ARCHITECTURES[TEACHER].build().eval(), ARCHITECTURES[run.student].build()
    # Not strict, since BatchNorm's counters are not kept in weights.
    teacher.load_state_dict(load_weights(TEACHER).tensors, strict=False)
    if weights is None:
        student.load_state_dict(warm_start(student.state_dict(), teacher.state_dict()))
    else:
        student.load_state_dict(load_weights(file=weights, architecture=run.student).tensors, strict=False)
    return teacher.to(run.device), student.to(run.device)


def _same_encoder(student: PromptableModel, teacher: PromptableModel) -> bool:
    ours, theirs = student.image_encoder.state_dict(), teacher.image_encoder.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in filter(is_read, ours))


def _pictures(run: Run, labelled_only: bool) -> PictureStore:
    return PictureStore(read_pictures(run.sources), run.device, labelled_only, run.emphasis)


def _train(run: Run, stage: Distillation | Finetuning) -> tuple[Trainer, bool]:
    trainer = Trainer(stage, run.schedule, run.folder, run.device)
    resumed = trainer.resume()
    trainer.run(run.time_budget, run.tick)
    return trainer, resumed


def _export(run: Run, state: dict[str, Tensor]) -> Path:
    path = run.folder / STUDENT_FILE
    write_safetensors(path, run.student, {name: tensor for name, tensor in state.items() if is_read(name)}, "float32")
    return path
