"""Where the time of one picture and one volume goes, and what the encoder reaches of the machine's peak.

    python -m benchmarks.profile [--weights FILE]

Each case is segmented twice in one process of its own (`benchmarks.one_case`): for the first time, as in a cold run,
and again, when kernels and memory are there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from app.benchmark.phantoms import write_case
from app.engines.precision import Precision, has_bfloat16
from app.networks.models import ARCHITECTURES
from app.threads import available_threads

from .arithmetic import gemm_peak, multiply_adds
from .cases import KINDS
from .speed import ROOT
from .weights import ARCHITECTURE, given_or_made_up

CASES = ("2DBox_one", "3DBox_six")


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile")
    parser.add_argument("--weights", type=Path, help="of Swin-LiteMedSAM; default: made-up ones of the same shapes")
    given: Path | None = parser.parse_args().weights
    precisions: list[Precision] = ["float32", "bfloat16"] if has_bfloat16() else ["float32"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = given_or_made_up(given, folder)
        cases = {kind.title: write_case(kind, folder) for kind in KINDS if kind.name in CASES}
        _profile(folder, next(iter(cases.values())), weights, "float32")  # makes the graphs
        for precision in precisions:
            for title, case in cases.items():
                parts = _profile(folder, case, weights, precision)
                print(_table(title, precision, parts), flush=True)
            print(_share(precision, parts["encode, one frame"][-1]), flush=True)


def _share(precision: Precision, seconds: float) -> str:
    """What the encoder reaches in a frame's seconds, of what matrix products reach now."""
    work = multiply_adds(ARCHITECTURES[ARCHITECTURE].build().eval().encode, 1, 3, 256, 256)
    encoder, peak = work / seconds, gemm_peak(precision, available_threads())
    return (
        f"\nEncoder, {precision}: {work / 1e9:.1f} G multiply-adds, {2 * encoder / 1e9:.0f} GFLOP/s; "
        f"matrix products by OpenVINO {2 * peak / 1e9:.0f} GFLOP/s; share {encoder / peak:.2f}"
    )


def _table(title: str, precision: Precision, parts: dict[str, list[float]]) -> str:
    lines = [f"\n{title}, {precision}\n", "| part | ms | again, ms |", "|---|---|---|"]
    for part, seconds in parts.items():
        first, again = f"{1000 * seconds[0]:.0f}", f"{1000 * seconds[1]:.0f}" if len(seconds) > 1 else ""
        lines.append(f"| {part} | {first} | {again} |")
    return "\n".join(lines)


def _profile(folder: Path, case: Path, weights: Path, precision: Precision) -> dict[str, list[float]]:
    """Seconds of each part, the first time and, where there is one, the second."""
    command = [sys.executable, "-m", "benchmarks.one_case", str(time.time()), str(case), str(weights), precision]
    environment = os.environ | {"SWINLITE_CACHE": str(folder / "cache")}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
    parts: dict[str, list[float]] = json.loads(done.stdout)
    return parts


if __name__ == "__main__":
    main()
