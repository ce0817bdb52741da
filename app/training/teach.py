"""`swinlite train` from end to end: teacher, student, pictures, loop, and the student's weights at the end."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from ..cases.discover import prepare_output_folder
from ..memory import keep_freed_memory
from ..networks.models import ARCHITECTURES, PromptableModel
from ..weights.load import ENCODER, LoadedWeights, is_read, load_weights
from ..weights.publish import write_safetensors
from .distillation import Distillation, embedding_similarity
from .examination import Examination, Mark, Marks
from .finetuning import Finetuning, Recipe
from .frozen_encoder import frozen_encoder
from .loop import Examine, Schedule, Trainer
from .picture_store import PictureStore
from .shards import read_pictures
from .team import Team
from .warm_start import State, warm_start

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
    validation: Sequence[Path] = ()  # cases with truth, for examinations at every checkpoint
    time_budget: float = math.inf
    tick: Callable[[int], None] = lambda _: None


@dataclass(frozen=True)
class Lesson:
    """What a run has come to; `samples_a_second` of all processes together, without examinations."""

    steps: int
    pictures: int
    resumed: bool
    weights: Path
    samples_a_second: float


def distill(run: Run, batch: int) -> Lesson:
    """Stage 1: teach the student's encoder, going on from the folder's checkpoint where there is one.

    Writes checkpoint, curve, marks and the averaged weights as a whole model, whose decoder is the warm start's
    and not trained yet. Raises InputError, CaseError and WeightsError.
    """
    teacher, student = _pair(run, weights=None)
    pictures = _pictures(run, labelled_only=False)
    stage = Distillation(student.image_encoder, frozen_encoder(teacher.image_encoder, run.device), pictures, batch)
    examine = _compare_embeddings(run, student, teacher) if run.validation else None
    return _train(run, stage, pictures, examine, lambda encoder: _whole(student, encoder))


def finetune(run: Run, recipe: Recipe, weights: Path | None) -> Lesson:
    """Stage 2: teach the whole student on masks, from `weights` of an earlier run or from the warm start.

    Writes checkpoint, curve, marks and the averaged weights. Raises InputError, CaseError and WeightsError.
    """
    teacher, student = _pair(run, weights)
    encode = None
    if recipe.freeze_encoder:
        if _same_encoder(student, teacher):
            student.image_encoder = teacher.image_encoder
        encode = frozen_encoder(student.image_encoder, run.device)
    pictures = _pictures(run, labelled_only=True)
    stage = Finetuning(student, teacher, pictures, recipe, encode)
    examine = _score_beside_teacher(run, pictures) if run.validation else None
    return _train(run, stage, pictures, examine, lambda whole: whole)


def _pair(run: Run, weights: Path | None) -> tuple[PromptableModel, PromptableModel]:
    """Teacher and student on the run's device, once the run's folder is known to be writable."""
    prepare_output_folder(run.folder, ())
    keep_freed_memory()
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


def _compare_embeddings(run: Run, student: PromptableModel, teacher: PromptableModel) -> Examine:
    """Stage 1's examination: cosine similarity of embeddings."""
    marks, unseen = Marks(run.folder), PictureStore(read_pictures(run.validation), run.device)
    examined = copy.deepcopy(student.image_encoder).eval()

    def examine(step: int, encoder: State) -> None:
        examined.load_state_dict(encoder)
        alike = embedding_similarity(examined, teacher.image_encoder, unseen)
        marks.add([Mark(step, run.student, "all pictures", len(unseen), "similarity", alike)])

    return examine


def _score_beside_teacher(run: Run, pictures: PictureStore) -> Examine:
    """Stage 2's examination: DSC and NSD, the teacher's before the first, which do not change."""
    marks, examination = Marks(run.folder), Examination(run.validation, pictures.datasets)

    def examine(step: int, state: State) -> None:
        if not marks:
            marks.add(examination.mark(0, load_weights(TEACHER)))
        tensors = {name: tensor.to("cpu", copy=True) for name, tensor in state.items() if is_read(name)}
        marks.add(examination.mark(step, LoadedWeights(run.student, run.student, run.folder, "", tensors)))

    return examine


def _train(
    run: Run,
    stage: Distillation | Finetuning,
    pictures: PictureStore,
    examine: Examine | None,
    whole: Callable[[State], State],
) -> Lesson:
    team = Team.join(run.device)
    trainer = Trainer(stage, run.schedule, run.folder, run.device, team)
    resumed = trainer.resume()
    trainer.run(run.time_budget, run.tick, examine)
    path = run.folder / STUDENT_FILE
    if team.leads:
        tensors = {name: tensor for name, tensor in whole(trainer.ema).items() if is_read(name)}
        write_safetensors(path, run.student, tensors, "float32")
    team.leave()
    return Lesson(trainer.step, len(pictures), resumed, path, trainer.samples_a_second)


def _whole(student: PromptableModel, encoder: State) -> State:
    return student.state_dict() | {f"{ENCODER}{name}": tensor for name, tensor in encoder.items()}
