"""Many cases, one after the other or in several processes: a bad one fails alone, and every output appears whole."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ..cases.failures import failure
from ..cases.formats import Kind, base_name, output_name
from ..cases.open_case import Request, open_case, save_labels
from ..errors import naming
from ..report.overlay import OverlayRecorder
from ..segment.clock import StageClock
from ..segment.segmenter import Segmenter
from ..segment.strategy import Treatment, Views

# Of a model's name, None for the default.
Loader = Callable[[str | None], Segmenter]


@dataclass(frozen=True)
class Task:
    """What is asked of every case of a run.

    written: the kind of the label maps; None for that of each input.
    """

    output_folder: Path
    request: Request = field(default_factory=Request)
    written: Kind | None = None
    skip_existing: bool = False
    overlay_folder: Path | None = None


@dataclass(frozen=True)
class Job:
    """One case: where it is, and how it is segmented. model: the name by which results know that of the treatment."""

    path: Path
    treatment: Treatment
    model: str
    task: Task

    @property
    def output(self) -> Path:
        return self.task.output_folder / output_name(self.path, self.task.written)

    @property
    def overlay(self) -> Path | None:
        folder = self.task.overlay_folder
        return None if folder is None else folder / f"{base_name(self.path)}.png"

    @property
    def is_done(self) -> bool:
        """Whether all that it writes is there; a run may have been killed between the label map and the overlay."""
        return self.output.exists() and (self.overlay is None or self.overlay.exists())


@dataclass
class CaseResult:
    """What became of one case; `error` is None where its output was written."""

    name: str
    file: str  # of the input
    model: str
    views: Views
    running_time: float = 0.0  # seconds from opening the input to the output in place; 0 where there is none
    error: str | None = None
    skipped: bool = False
    notes: tuple[str, ...] = ()
    slices: int = 0
    objects: int = 0
    clock: StageClock = field(default_factory=StageClock)
    peak_memory_mib: float = 0.0  # of the process so far

    @property
    def encoder_calls(self) -> int:
        return self.clock.entries["encode"]


class Models:
    """Models that are loaded when first asked for, each once."""

    def __init__(self, load: Loader) -> None:
        self._load = load
        self._loaded: dict[str | None, Segmenter] = {}

    def get(self, model: str | None) -> Segmenter:
        """By its name, None for the default. Raises as the loader does."""
        if model not in self._loaded:
            self._loaded[model] = self._load(model)
        return self._loaded[model]


def run_batch(jobs: Sequence[Job], models: Models, workers: int = 1) -> Iterator[CaseResult]:
    """Do each job, yielding what became of it: in order, or from several processes as they are done.

    A process that dies takes its one case along. Several processes each load the models that they need.
    """
    if workers == 1:
        yield from (run_job(job, models) for job in jobs)
        return
    from ..processes import Died, spread  # a hundredth of a short run's time

    for job, result in spread(partial(run_job, models=models), jobs, workers):
        yield _lost(job, str(result)) if isinstance(result, Died) else result


def run_job(job: Job, models: Models) -> CaseResult:
    """Segment one case and write its label map, unless it is to be skipped; a failure is in the result."""
    result = _no_result(job)
    if job.task.skip_existing and job.is_done:
        result.skipped = True
    else:
        result.error = failure(job.path, partial(_segment, job, models, result))
    result.peak_memory_mib = _peak_memory_mib()
    return result


def _no_result(job: Job) -> CaseResult:
    return CaseResult(base_name(job.path), job.path.name, job.model, job.treatment.views)


def _lost(job: Job, why: str) -> CaseResult:
    result = _no_result(job)
    result.error = f"{job.path.name}: {why}; free some, or take fewer --workers, then predict --skip-existing goes on"
    return result


def _segment(job: Job, models: Models, result: CaseResult) -> None:
    segmenter = models.get(job.treatment.model).with_views(job.treatment.views)
    start, clock = time.perf_counter(), result.clock
    with clock.measure("read"):
        opened = open_case(job.path, job.task.request)
    case = opened.case
    result.notes, result.slices, result.objects = case.notes, case.slices, len(case.boxes)
    recorder = OverlayRecorder(case) if job.overlay else None
    labels = segmenter.segment_case(case, clock, recorder, kept_bytes=opened.kept_bytes)
    with clock.measure("write"), naming(job.path):
        save_labels(job.output, labels, opened, job.task.written)
    result.running_time = time.perf_counter() - start
    if recorder is not None and job.overlay is not None:
        recorder.write(job.overlay, labels)


def _peak_memory_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
