"""`swinlite train`: teach a student."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

_PATH = click.Path(exists=True, path_type=Path)


@click.group()
def train() -> None:
    """Train Swin-LiteMedSAM (research use; a GPU is wanted for more than a trial)."""


@train.command()
@click.argument("sources", nargs=-1, required=True, type=_PATH)
@click.option("-o", "--output", "folder", required=True, type=click.Path(file_okay=False, path_type=Path),
              help="Folder of the run; a checkpoint there is gone on from.")  # fmt: skip
@click.option("--steps", type=click.IntRange(min=1), default=20_000, show_default=True)
@click.option("--batch", type=click.IntRange(min=1), default=64, show_default=True, help="Pictures a step.")
@click.option("--learning-rate", type=float, default=2e-4, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--time-budget", type=float, metavar="SECONDS", help="End cleanly after this time; run again to go on.")
@click.option("--validation", multiple=True, type=_PATH, help="Shards or folders of cases to compare embeddings on.")
@click.option("--device", default="auto", show_default=True, help="cuda, cpu, or auto: a GPU where there is one.")
def distill(
    sources: tuple[Path, ...],
    folder: Path,
    steps: int,
    batch: int,
    learning_rate: float,
    seed: int,
    time_budget: float | None,
    validation: tuple[Path, ...],
    device: str,
) -> None:
    """Stage 1: the encoder learns to give what LiteMedSAM's gives.

    SOURCES are tar shards of WebP pictures, challenge .npz, or folders of either; masks are not needed. Writes
    checkpoint.pt, curve.csv and student.safetensors, a whole model whose decoder is not trained yet.
    """
    import torch

    from ..training.loop import Schedule
    from ..training.teach import distill as teach

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    schedule = Schedule(steps=steps, learning_rate=learning_rate, seed=seed)
    start = time.perf_counter()
    with click.progressbar(length=steps, label="distilling", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        lesson = teach(
            sources,
            folder,
            schedule,
            batch,
            torch.device(device),
            validation=validation,
            time_budget=float("inf") if time_budget is None else time_budget,
            tick=lambda step: bar.update(step - bar.pos),
        )
    click.echo(
        f"{'resumed, ' if lesson.resumed else ''}{lesson.steps} of {steps} steps of {batch} from {lesson.pictures} "
        f"pictures in {time.perf_counter() - start:.0f} s; weights in {lesson.weights}",
        err=True,
    )
    if lesson.similarity is not None:
        click.echo(f"embedding cosine similarity to the teacher on validation: {lesson.similarity:.4f}", err=True)
