"""`swinlite predict` ended, killed or robbed of its files: what is written is whole, and the rest goes on."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from app.arrays import FloatArray
from app.cases.limits import Limits
from app.cli import main
from app.engines.engine import ImageFeatures
from tests.conftest import CaseWriter, two_squares
from tests.fakes import ThresholdEngine, load_slow

ROOT = Path(__file__).parents[2]
SWINLITE = """
import app.segment.segmenter, tests.fakes, app.cli
app.segment.segmenter.load_segmenter = tests.fakes.load_slow
app.cli.run()
"""
CASES, KILLS = 40, 25


@pytest.fixture(autouse=True)
def slow_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.segment.segmenter.load_segmenter", load_slow)
    monkeypatch.setenv("SECONDS_A_SLICE", "0")


@pytest.fixture
def cases(write_case: CaseWriter) -> Path:
    """Pictures, and a volume of three slices for every fourth."""
    volume = np.repeat(two_squares()[None, ..., 0], 3, axis=0)
    for number in range(CASES):
        if number % 4:
            write_case(f"2DBox_{number:02}", boxes=np.array([[5, 5, 25, 25 - number % 9]]))
        else:
            write_case(f"3DBox_{number:02}", imgs=volume, boxes=np.array([[5, 5, 0, 25, 25 - number % 9, 2]]))
    return write_case("last").parent


@contextmanager
def running(seconds_a_slice: float, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """`swinlite predict` as a process, which is dead in the end."""
    with subprocess.Popen(
        [sys.executable, "-c", SWINLITE, "predict", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"SECONDS_A_SLICE": str(seconds_a_slice)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def process_that_encodes(run: subprocess.Popen[str]) -> int:
    """Its number, once it begins the next slice."""
    assert run.stdout is not None
    return int(run.stdout.readline())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_runs_killed_at_any_moment_leave_whole_outputs_and_are_resumed_to_the_same_bytes(
    cases: Path, tmp_path: Path
) -> None:
    def resumable(out: Path) -> list[str]:
        return ["-i", str(cases), "-o", str(out), "--overlay", str(out), "--skip-existing", "-q"]

    whole = tmp_path / "whole"
    assert main(["predict", *resumable(whole)]) == 0
    expected = contents(whole)
    assert len(expected) == 2 * (CASES + 1)
    moments = np.random.default_rng(0)
    cut_short = 0
    for kill in range(KILLS):
        out = tmp_path / f"out{kill}"
        with running(0.002, *resumable(out)) as run:
            for _ in range(moments.integers(1, CASES + CASES // 2)):
                process_that_encodes(run)
            try:
                run.wait(moments.uniform(0, 0.02))
            except subprocess.TimeoutExpired:
                run.kill()
        left = contents(out)
        cut_short += len(left) < len(expected)
        assert left.items() <= expected.items()
        assert len(hidden(out)) <= 1
        assert main(["predict", *resumable(out)]) == 0
        assert contents(out) == expected
        assert hidden(out) == []
    assert cut_short >= KILLS - 5


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(("stop", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stopped_run_says_what_is_done_and_leaves_nothing_half(
    cases: Path, tmp_path: Path, stop: signal.Signals, exit_code: int, workers: str
) -> None:
    with running(0.3, "-i", cases, "-o", tmp_path / "out", "--workers", workers) as run:
        for _ in range(6):
            process_that_encodes(run)
        run.send_signal(stop)
        _, said = run.communicate(timeout=30)
    assert run.returncode == exit_code, said
    done = len(contents(tmp_path / "out"))
    assert done >= 1
    assert f"{done} done, 0 skipped, 0 failed of {CASES + 1}" in said
    assert "interrupted; what is written is whole, --skip-existing goes on from here" in said
    assert "Traceback" not in said
    assert hidden(tmp_path / "out") == []


def test_a_dead_worker_takes_one_case_along(cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with running(0.01, "-i", cases, "-o", out, "--workers", "2") as run:
        os.kill(process_that_encodes(run), signal.SIGKILL)
        _, said = run.communicate(timeout=60)
    assert run.returncode == 1
    assert f"{CASES} done, 0 skipped, 1 failed of {CASES + 1}" in said
    assert ".npz: its process was ended by SIGKILL, perhaps for its memory; free some, or take fewer --workers" in said
    assert main(["predict", "-i", str(cases), "-o", str(out), "--skip-existing", "-q"]) == 0
    assert main(["predict", "-i", str(cases), "-o", str(tmp_path / "whole"), "-q"]) == 0
    assert contents(out) == contents(tmp_path / "whole")


@pytest.fixture
def while_encoding(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Has something happen while the first slice of a run is encoded."""

    def arrange(event: Callable[[], object]) -> None:
        encode = ThresholdEngine.encode

        def stumble(self: ThresholdEngine, frames: FloatArray) -> list[ImageFeatures]:
            if not self.encoded:
                event()
            return encode(self, frames)

        monkeypatch.setattr(ThresholdEngine, "encode", stumble)

    return arrange


def test_an_input_that_vanishes_fails_alone(
    write_case: CaseWriter,
    tmp_path: Path,
    while_encoding: Callable[[Callable[[], object]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, lost, _ = write_case("a").parent, write_case("b"), write_case("c")
    while_encoding(lost.unlink)
    assert main(["predict", "-i", str(folder), "-o", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "swinlite: b.npz: cannot be read: No such file or directory"
    assert contents(tmp_path / "out").keys() == {"a.npz", "c.npz"}


def test_an_input_that_changes_while_it_is_read_is_refused(
    write_case: CaseWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from app.cases import challenge

    path, read = write_case("a"), challenge.read

    def read_late(path: Path, limits: Limits) -> object:
        scan = read(path, limits)
        os.utime(path, ns=(0, 0))
        return scan

    monkeypatch.setattr(challenge, "read", read_late)
    assert main(["predict", "-i", str(path), "-o", str(tmp_path / "out")]) == 1
    assert "a.npz: changed while it was read; run it again" in capsys.readouterr().err
    assert contents(tmp_path / "out") == {}


def test_an_output_that_cannot_be_written_to_its_end_fails_alone_and_leaves_nothing(
    write_case: CaseWriter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (600, 600, 3), np.uint8)
    write_case("a")
    folder = write_case("b", imgs=noise, boxes=np.array([[0, 0, 600, 600]])).parent
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        assert main(["predict", "-i", str(folder), "-o", str(tmp_path / "out")]) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "swinlite: b.npz: File too large" in capsys.readouterr().err
    assert contents(tmp_path / "out").keys() == {"a.npz"}
    assert hidden(tmp_path / "out") == []
