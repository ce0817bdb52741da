"""Many cases, one after the other: a bad one fails alone, and every output appears whole or not at all."""

from __future__ import annotations

import errno
import logging
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..cases.challenge import read_case, write_segmentation
from ..errors import CaseError
from ..report.overlay import OverlayRecorder
from .clock import StageClock
from .segmenter import Segmenter

logger = logging.getLogger(__name__)


@dataclass
class CaseResult:
    """What became of one case; `error` is None where its output was written."""

    name: str
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
    segmenter: Segmenter,
    *,
    skip_existing: bool = False,
    overlay_folder: Path | None = None,
) -> Iterator[CaseResult]:
    """Segment each case file into `output_folder`, yielding a result for each in order."""
    for path in cases:
        result = CaseResult(path.stem)
        if skip_existing and (output_folder / path.name).exists():
            result.skipped = True
        else:
            result.error = _failure(path, result, output_folder, segmenter, overlay_folder)
        result.peak_memory_mib = _peak_memory_mib()
        yield result


def _failure(
    path: Path, result: CaseResult, output_folder: Path, segmenter: Segmenter, overlay_folder: Path | None
) -> str | None:
    """Run one case and return why it failed, or None. Whatever happens stays inside the case."""
    try:
        _run_case(path, result, output_folder, segmenter, overlay_folder)
    except CaseError as error:
        return str(error)
    except MemoryError:
        return f"{path.name}: not enough memory; free some, or split the case"
    except OSError as error:
        return f"{path.name}: {_file_advice(error)}"
    except Exception as error:
        logger.debug("%s", path, exc_info=True)
        return f"{path.name}: unexpected {type(error).__name__}: {error}; run with -v and report this"
    return None


def _run_case(
    path: Path, result: CaseResult, output_folder: Path, segmenter: Segmenter, overlay_folder: Path | None
) -> None:
    start, clock = time.perf_counter(), result.clock
    with clock.measure("read"):
        case = read_case(path)
    result.notes, result.slices, result.objects = case.notes, case.slices, len(case.boxes)
    recorder = OverlayRecorder(case) if overlay_folder is not None else None
    labels = segmenter.segment_case(case, clock, recorder)
    with clock.measure("write"):
        write_segmentation(output_folder / path.name, labels)
    result.running_time = time.perf_counter() - start
    if recorder is not None and overlay_folder is not None:
        recorder.write(overlay_folder / f"{case.name}.png", labels)


def _file_advice(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left for {error.filename or 'the output'}; free some and run again with --skip-existing"
    return f"{error.strerror or error}: {error.filename or 'input or output file'}"


def _peak_memory_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
