"""What whole runs of the real model lose when they are killed, stopped or robbed of disk, input or worker: nothing.

    python -m benchmarks.faults [--tries N] [--model NAME] [--json FILE]

Each try breaks a run over a few small cases at a random moment, checks what it left, resumes it with --skip-existing
and compares every byte with an undisturbed run. Prints a Markdown table. What needs a file system of its own is left
out for users who may not mount one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np

from app.benchmark.phantoms import CaseKind, write_case
from app.processes import apart

ROOT = Path(__file__).parents[1]
PICTURE, VOLUME = CaseKind("2DBox", "US", (200, 260), 2), CaseKind("3DBox", "MR", (128, 128), 1, 2)
COUNT = 6
FULL_DISK_KB = 12
_POLL = 0.005  # seconds


@dataclass(frozen=True)
class Broken:
    """One run that was broken: its exit code, its last words, and seconds from the blow to its end."""

    exit_code: int
    said: str
    seconds: float


@dataclass(frozen=True)
class Fault:
    """Of all tries of one fault. lost: outputs that were damaged, or other than they should be once resumed."""

    name: str
    tries: int
    lost: int
    leftovers: int
    exit_codes: list[int]
    tracebacks: int
    median_seconds: float
    most_seconds: float

    @property
    def line(self) -> str:
        """Of the Markdown table."""
        codes = ", ".join(map(str, sorted(set(self.exit_codes))))
        seconds = f"{self.median_seconds:.2f}, {self.most_seconds:.2f}"
        return (
            f"| {self.name} | {self.tries} | {self.lost} | {self.leftovers} | {codes} | {self.tracebacks} | {seconds} |"
        )


HEADER = """\
| fault | tries | outputs lost | files left behind | exit codes | tracebacks | seconds to the end: median, most |
|---|---|---|---|---|---|---|"""


class Ground:
    """Cases, an undisturbed run over them, and folders for broken ones."""

    def __init__(self, folder: Path, model: list[str]) -> None:
        self.folder = folder
        self.moments = np.random.default_rng(0)
        self._model = model
        self.cases = folder / "cases"
        self.cases.mkdir()
        picture, volume = (apart(write_case, kind, folder) for kind in (PICTURE, VOLUME))
        for number in range(COUNT):
            source = volume if number == COUNT // 2 else picture
            shutil.copy(source, self.cases / f"{source.stem}_{number}.npz")
        start = time.perf_counter()
        self.resume(folder / "whole")
        self.seconds = time.perf_counter() - start
        self.whole = contents(folder / "whole")

    def command(self, out: Path, *options: str) -> list[str]:
        return [sys.executable, "-m", "app", "predict", "-i", str(self.cases), "-o", str(out), *self._model, *options]

    def resume(self, out: Path) -> None:
        subprocess.run(self.command(out, "-q", "--skip-existing"), cwd=ROOT, check=True)

    @contextmanager
    def run(self, out: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
        """A run in a session of its own, so that nothing else hears of its signals."""
        with subprocess.Popen(
            self.command(out, *options), cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as run:
            yield run
            run.kill()

    def wait_for_some(self, out: Path) -> None:
        """Until a random number of outputs is there, and a random part of a case's time more."""
        count = self.moments.integers(0, COUNT)
        while not out.is_dir() or len(contents(out)) < count:
            time.sleep(_POLL)
        time.sleep(self.moments.uniform(0, self.seconds / COUNT))


def contents(folder: Path) -> dict[str, bytes]:
    """Bytes of the label maps that have their names."""
    return {path.name: path.read_bytes() for path in folder.glob("[!.]*.npz")}


def ended(run: subprocess.Popen[str], blow: float) -> Broken:
    _, said = run.communicate(timeout=120)
    return Broken(run.returncode, said, time.perf_counter() - blow)


def signalled(number: signal.Signals, *options: str) -> Callable[[Ground, Path], Broken]:
    """Send the run a signal."""

    def strike(ground: Ground, out: Path) -> Broken:
        with ground.run(out, *options) as run:
            ground.wait_for_some(out)
            blow = time.perf_counter()
            run.send_signal(number)
            return ended(run, blow)

    return strike


def worker_killed(ground: Ground, out: Path) -> Broken:
    """Kill one of two workers."""
    with ground.run(out, "--workers", "2") as run:
        ground.wait_for_some(out)
        blow = time.perf_counter()
        for worker in _workers(run.pid)[:1]:
            os.kill(worker, signal.SIGKILL)
        return ended(run, blow)


def input_gone(ground: Ground, out: Path) -> Broken:
    """Take away the last input, and put it back for the next run."""
    last = sorted(ground.cases.iterdir())[-1]
    kept = ground.folder / "kept"
    with ground.run(out) as run:
        while not out.is_dir():
            time.sleep(_POLL)
        blow = time.perf_counter()
        last.rename(kept)
        try:
            return ended(run, blow)
        finally:
            kept.rename(last)


def disk_full(ground: Ground, out: Path) -> Broken:
    """Write to a file system that holds few outputs, and move to a roomy one."""
    with mounted(out, f"size={FULL_DISK_KB}k"), ground.run(out) as run:
        broken = ended(run, time.perf_counter())
        shutil.copytree(out, ground.folder / "moved")
    shutil.rmtree(out)
    (ground.folder / "moved").rename(out)
    return broken


def disk_read_only(ground: Ground, out: Path) -> Broken:
    """Write to a file system that takes nothing."""
    with mounted(out, "ro"), ground.run(out) as run:
        return ended(run, time.perf_counter())


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


FAULTS: dict[str, Callable[[Ground, Path], Broken]] = {
    "SIGKILL": signalled(signal.SIGKILL),
    "SIGKILL, two workers": signalled(signal.SIGKILL, "--workers", "2"),
    "SIGINT": signalled(signal.SIGINT),
    "SIGTERM": signalled(signal.SIGTERM),
    "SIGTERM, two workers": signalled(signal.SIGTERM, "--workers", "2"),
    "one of two workers killed": worker_killed,
    "an input vanishes": input_gone,
    "disk full": disk_full,
    "disk read-only": disk_read_only,
}
MOUNTED = {"disk full", "disk read-only"}


def try_fault(ground: Ground, name: str, tries: int) -> Fault:
    """Break as many runs, resume and compare them."""
    broken, lost, leftovers = [], 0, 0
    for _ in range(tries):
        out = ground.folder / "out"
        broken.append(FAULTS[name](ground, out))
        lost += len(contents(out).items() - ground.whole.items())
        leftovers += len(list(out.glob(".swinlite-*.tmp")))
        ground.resume(out)
        lost += len(ground.whole.items() ^ contents(out).items()) + len(list(out.glob(".swinlite-*.tmp")))
        shutil.rmtree(out)
    seconds = [one.seconds for one in broken]
    return Fault(
        name, tries, lost, leftovers, [one.exit_code for one in broken],
        sum("Traceback" in one.said for one in broken), median(seconds), max(seconds),
    )  # fmt: skip


def _workers(process: int) -> Sequence[int]:
    """Processes that `process` started to segment cases."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8").split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def main() -> None:
    """Parse, break, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults")
    parser.add_argument("--tries", type=int, default=25)
    parser.add_argument("--model", help="of the manifest; default: its default")
    parser.add_argument("--faults", nargs="+", choices=FAULTS, default=list(FAULTS), metavar="NAME")
    parser.add_argument("--json", type=Path, default=Path("outputs/faults.json"))
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # runs inherit that it is ignored, as in the background
    results = []
    with tempfile.TemporaryDirectory() as folder:
        ground = Ground(Path(folder), ["--model", options.model] if options.model else [])
        print(f"{COUNT} cases a run, {ground.seconds:.1f} s undisturbed\n\n{HEADER}", flush=True)
        for name in options.faults:
            if name not in MOUNTED or os.geteuid() == 0:
                results.append(try_fault(ground, name, options.tries))
                print(results[-1].line, flush=True)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
