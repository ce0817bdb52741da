"""What a run leaves behind for the record: the timing table (CSV) and the run report (JSON)."""

from __future__ import annotations

import csv
import io
import json
import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from .. import __version__
from ..cases.atomic import write_atomically
from ..plain import plain
from ..segment.clock import Stage
from .batch import CaseResult

_STAGES: tuple[Stage, ...] = ("read", "encode", "prompt", "decode", "write")
_LIBRARIES = ("numpy", "opencv-python-headless", "openvino", "torch", "safetensors")


def write_timing(path: Path, results: Sequence[CaseResult]) -> None:
    """CSV as the challenge logs it, `CaseName,RunningTime` in seconds, then where the time went.

    Cases that were skipped or failed are left out. RunningTime counts from opening the input to the
    finished output; starting the process and loading the model are in the run report.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["CaseName", "RunningTime", *_STAGES, "slices", "objects", "encoder_calls", "peak_memory_mib"])
    for result in results:
        if result.error is None and not result.skipped:
            seconds = [f"{result.clock.seconds[stage]:.4f}" for stage in _STAGES]
            counts = [result.slices, result.objects, result.encoder_calls]
            memory = f"{result.peak_memory_mib:.0f}"
            table.writerow([plain(result.file), f"{result.running_time:.4f}", *seconds, *counts, memory])
    with write_atomically(path) as file:
        file.write(text.getvalue().encode())


def write_run_report(
    path: Path,
    models: Sequence[dict[str, Any]],
    results: Sequence[CaseResult],
    settings: dict[str, Any],
    startup_seconds: float,
) -> None:
    """JSON that names machine, versions, models (`Segmenter.facts`), and each case's outcome and time."""
    report = {
        "swinlite": __version__,
        "models": models,
        "settings": settings,
        "machine": machine_facts(),
        "versions": _versions(),
        "startup_seconds": round(startup_seconds, 3),
        "cases": [
            {
                "name": result.name,
                "outcome": "failed" if result.error else "skipped" if result.skipped else "done",
                "error": result.error,
                "model": result.model,
                "views": result.views,
                "notes": list(result.notes),
                "running_time": round(result.running_time, 4),
                "stages": {stage: round(result.clock.seconds[stage], 4) for stage in _STAGES},
            }
            for result in results
        ],
    }
    with write_atomically(path) as file:
        file.write((json.dumps(report, indent=2) + "\n").encode())


def machine_facts() -> dict[str, Any]:
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30), 1),
        "system": platform.platform(),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            found[library] = "not installed"
    return found
