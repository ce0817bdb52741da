"""Many cases, one after the other: a bad one fails alone, and every output appears whole or not at all."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ..cases.failures import failure
from ..cases.formats import Kind, base_name, output_name
from ..cases.open_case import Request, open_case, save_labels
from ..errors import naming
from ..report.overlay import OverlayRecorder
from .clock import StageClock
from .segmenter import Segmenter
from .strategy import Views

_PLAIN = Request()


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


def run_batch(
    cases: Sequence[Path],
    output_folder: Path,
    segmenters: Sequence[Segmenter],
    request: Request = _PLAIN,
    *,
    written: Kind | None = None,
    skip_existing: bool = False,
    overlay_folder: Path | None = None,
) -> Iterator[CaseResult]:
    """Segment each case with the segmenter in its place into `output_folder`, yielding a result for each in order.

    written: the kind of the label maps; None for that of each input.
    """
    for path, segmenter in zip(cases, segmenters, strict=True):
        result = CaseResult(base_name(path), path.name, segmenter.info.model, segmenter.views)
        output = output_folder / output_name(path, written)
        if skip_existing and output.exists():
            result.skipped = True
        else:
            overlay = overlay_folder / f"{result.name}.png" if overlay_folder is not None else None
            job = _Job(path, request, output, written, overlay)
            result.error = failure(path, partial(_run_case, job, result, segmenter))
        result.peak_memory_mib = _peak_memory_mib()
        yield result


@dataclass(frozen=True)
class _Job:
    """One case: where it is, what is asked of it, and where its label map, of the kind `written`, and overlay go."""

    path: Path
    request: Request
    output: Path
    written: Kind | None
    overlay: Path | None


def _run_case(job: _Job, result: CaseResult, segmenter: Segmenter) -> None:
    start, clock = time.perf_counter(), result.clock
    with clock.measure("read"):
        opened = open_case(job.path, job.request)
    case = opened.case
    result.notes, result.slices, result.objects = case.notes, case.slices, len(case.boxes)
    recorder = OverlayRecorder(case) if job.overlay else None
    labels = segmenter.segment_case(case, clock, recorder)
    with clock.measure("write"), naming(job.path):
        save_labels(job.output, labels, opened, job.written)
    result.running_time = time.perf_counter() - start
    if recorder is not None and job.overlay is not None:
        recorder.write(job.overlay, labels)


def _peak_memory_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
