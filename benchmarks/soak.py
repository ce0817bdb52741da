"""Many cases in one process: does its memory grow?

    python -m benchmarks.soak [--cases N] [--model NAME] [--curve PNG]

Pictures of several sizes, volumes, and files that are damaged or without boxes, in turn under many names. Prints the
resident memory after some of the cases and the slope of a line through those of the last nine tenths.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from app.arrays import DoubleArray
from app.benchmark.phantoms import CaseKind, write_case
from app.processes import apart
from app.run.batch import Job, Models, Task, run_batch
from app.segment.segmenter import load_segmenter
from app.segment.strategy import Treatment

KINDS = (
    CaseKind("2DBox_small", "US", (256, 256), 1),
    CaseKind("2DBox_wide", "X-Ray", (300, 700), 3),
    CaseKind("2DBox_usual", "Dermoscopy", (512, 512), 1),
    CaseKind("2DBox_cells", "Microscope", (640, 640), 6),
    CaseKind("2DBox_large", "Endoscopy", (1080, 1350), 2),
    CaseKind("3DBox_scan", "MR", (192, 192), 2, 2),
)
_WARM_UP = 0.1  # of the cases, in which libraries set themselves up


def main() -> None:
    """Parse, segment, print, draw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--model", help="of the manifest; default: its default")
    parser.add_argument("--curve", type=Path, default=Path("outputs/soak.png"), help="picture of the curve")
    options = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        paths = list(_many_names(_files(Path(folder)), options.cases))
        resident, failed = _soak(paths, Path(folder) / "out", options.model)
    first = int(_WARM_UP * len(resident))
    (slope, _), covariance = np.polyfit(np.arange(first, len(resident)), resident[first:], 1, cov=True)
    for case in sorted({1, 10, first, len(resident) // 4, len(resident) // 2, len(resident)}):
        print(f"after {case:5} cases {resident[case - 1]:7.1f} MiB")
    error = 1000 * float(np.sqrt(covariance[0, 0]))
    print(f"slope after the first {first}: {1000 * slope:+.2f} MiB in 1,000 cases, standard error {error:.2f}")
    print(f"{len(resident)} cases, {failed} refused as they should be, in {time.perf_counter() - start:.0f} s")
    options.curve.parent.mkdir(parents=True, exist_ok=True)
    _draw(options.curve, resident)


def _files(folder: Path) -> list[Path]:
    """Sound cases, one cut short, one without boxes and one whose box lies outside."""
    sound = [apart(write_case, kind, folder) for kind in KINDS]
    damaged, boxless, outside = (folder / f"2DBox_{name}.npz" for name in ("damaged", "boxless", "outside"))
    damaged.write_bytes(sound[0].read_bytes()[:5000])
    picture = np.load(sound[0])["imgs"]
    np.savez_compressed(boxless, imgs=picture)
    np.savez_compressed(outside, imgs=picture, boxes=[[900, 900, 950, 950]])
    return [*sound, damaged, boxless, outside]


def _many_names(files: list[Path], count: int) -> Iterator[Path]:
    for number in range(count):
        file = files[number % len(files)]
        path = file.with_name(f"{file.stem}_{number:05}.npz")
        path.hardlink_to(file)
        yield path


def _soak(paths: list[Path], out: Path, model: str | None) -> tuple[DoubleArray, int]:
    """Resident MiB after each case, and how many were refused."""
    out.mkdir()
    task = Task(out, overlay_folder=out)
    jobs = [Job(path, Treatment(model, "axial"), "", task) for path in paths]
    resident, failed = [], 0
    for result in run_batch(jobs, Models(load_segmenter)):
        resident.append(_resident_mib())
        failed += result.error is not None
    return np.array(resident), failed


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def _draw(path: Path, resident: DoubleArray) -> None:
    figure = Figure(figsize=(8, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot(np.arange(1, len(resident) + 1), resident, linewidth=1)
    axes.set(xlabel="cases segmented", ylabel="resident memory, MiB", ylim=(0, None), xlim=(0, None))
    axes.grid(visible=True, alpha=0.3)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
