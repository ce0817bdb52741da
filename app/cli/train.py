"""`swinlite train`: teach a student what LiteMedSAM knows, and more."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import OutputError
from ..prompts.rules import GUIDES
from .say import say

if TYPE_CHECKING:
    from ..training.teach import Lesson, Run

STUDENTS = ("swin-litemedsam", "litemedsam-skip")
_SHARE = click.FloatRange(0, 1)
_PATH = click.Path(exists=True, path_type=Path)


@click.group()
def train() -> None:
    """Train a model (research use; for more than a decoder a GPU is wanted).

    On several GPUs: torchrun --nproc-per-node N -m swinlite train ...
    """


def _weights(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> dict[str, float]:
    pairs = [value.partition("=") for value in values]
    try:
        return {modality: float(weight) for modality, _, weight in pairs}
    except ValueError as error:
        raise click.BadParameter(f"expected MODALITY=WEIGHT such as CT=2, found {' '.join(values)}") from error


def _run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that both stages have."""
    for option in (
        click.option("--device", default="auto", show_default=True, help="cuda, cpu, or auto: a GPU if there is one."),
        click.option("--validation", multiple=True, type=_PATH, metavar="CASES",
                     help="Cases with truth to judge the student on at every checkpoint."),
        click.option("--emphasis", multiple=True, metavar="MODALITY=WEIGHT", callback=_weights,
                     help="Draw pictures of this modality so many times as often; can be repeated."),
        click.option("--student", type=click.Choice(STUDENTS), default=STUDENTS[0], show_default=True,
                     help="Architecture that learns."),
        click.option("--time-budget", type=float, default=float("inf"), metavar="SECONDS",
                     help="End cleanly after this time; run again to go on."),
        click.option("--seed", type=int, default=0, show_default=True),
        click.option("--learning-rate", type=float, default=2e-4, show_default=True),
        click.option("--steps", type=click.IntRange(min=1), default=20_000, show_default=True),
        click.option("-o", "--output", "folder", required=True, type=click.Path(file_okay=False, path_type=Path),
                     help="Folder of the run; a checkpoint there is gone on from."),
        click.argument("sources", nargs=-1, required=True, type=_PATH),
    ):  # fmt: skip
        command = option(command)
    return command


@train.command()
@_run_options
@click.option("--batch", type=click.IntRange(min=1), default=64, show_default=True, help="Pictures a step.")
def distill(batch: int, **options: Any) -> None:
    """Stage 1: the encoder learns to give what LiteMedSAM's gives.

    SOURCES are tar shards of WebP pictures, challenge .npz, or folders of either; masks are not needed. Writes
    checkpoint.pt, curve.csv and .png, marks.csv (cosine similarity of embeddings on the validation cases) and
    student.safetensors, a whole model whose decoder is not trained yet.
    """
    from ..training.teach import distill as teach

    with _progress(**options) as run:
        lesson = teach(run, batch)
    _say(lesson, run)


@train.command()
@_run_options
@click.option("--weights", type=_PATH, metavar="FILE", help="Student to begin from; default: LiteMedSAM's, where fit.")
@click.option("--batch", type=click.IntRange(min=1), default=16, show_default=True, help="Pictures a step.")
@click.option("--prompts-each", type=click.IntRange(min=1), default=1, show_default=True, help="Prompts a picture.")
@click.option(
    "--rehearsal",
    type=_SHARE,
    default=0.3,
    show_default=True,
    help="Share of prompts in random boxes with LiteMedSAM's mask as truth.",
)
@click.option(
    "--imperfect",
    type=_SHARE,
    default=0.0,
    show_default=True,
    help="Share of boxes as imperfect as those passed from slice to slice.",
)
@click.option(
    "--box-only", type=_SHARE, default=0.0, show_default=True, help="Share of steps without points, scribble."
)
@click.option(
    "--guide",
    type=click.Choice(GUIDES),
    default=GUIDES[0],
    show_default=True,
    help="Draw points and scribbles on visible pixels of the image, or of a first prediction.",
)
@click.option("--freeze-encoder", is_flag=True, help="Train prompt encoder and mask decoder alone.")
@click.option("--copied-rate", type=_SHARE, default=1.0, show_default=True,
              help="Learning rate of what LiteMedSAM's weights began, as a share of --learning-rate.")  # fmt: skip
def finetune(weights: Path | None, **options: Any) -> None:
    """Stage 2: the whole model learns masks.

    SOURCES as for distill; pictures without a label map are left out. Writes checkpoint.pt, curve.csv and .png,
    marks.csv (DSC and NSD on the validation cases, beside LiteMedSAM's) and student.safetensors.
    """
    from ..training.finetuning import Recipe
    from ..training.teach import finetune as teach

    recipe = Recipe(**{field.name: options.pop(field.name) for field in fields(Recipe)})
    with _progress(**options) as run:
        lesson = teach(run, recipe, weights)
    _say(lesson, run)


@contextmanager
def _progress(
    sources: tuple[Path, ...],
    folder: Path,
    steps: int,
    learning_rate: float,
    seed: int,
    time_budget: float,
    student: str,
    emphasis: dict[str, float],
    validation: tuple[Path, ...],
    device: str,
) -> Iterator[Run]:
    import torch

    from ..training.loop import Schedule
    from ..training.teach import Run

    if device == "auto":
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        first_line = str(error).partition("\n")[0]
        raise click.BadParameter(f"{device} cannot be used here ({first_line})", param_hint="--device") from error
    schedule = Schedule(steps=steps, learning_rate=learning_rate, warm_up=min(100, steps // 10), seed=seed)
    start = time.perf_counter()
    with click.progressbar(length=steps, label="training", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        run = Run(
            sources,
            folder,
            schedule,
            torch.device(device),
            student,
            emphasis,
            validation,
            time_budget,
            tick=lambda step: bar.update(step - bar.pos),
        )
        try:
            yield run
        except OSError as error:
            raise OutputError(f"{error.filename or folder}: {error.strerror}; the last checkpoint is whole") from error
    say(f"{time.perf_counter() - start:.0f} s on {device}")


def _say(lesson: Lesson, run: Run) -> None:
    say(
        f"{'resumed; ' if lesson.resumed else ''}{lesson.steps} of {run.schedule.steps} steps "
        f"from {lesson.pictures} pictures, {lesson.samples_a_second:.2f} samples a second; weights in {lesson.weights}",
    )
