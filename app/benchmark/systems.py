"""What is timed: swinlite in its container or as a process, and peers; each run has one case and a fresh folder."""

from __future__ import annotations

import csv
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import CaseError, InputError
from .measure import measure
from .memory_group import inside
from .runtime import Engine, Runtime

MEMORY_LIMIT = 8 << 30
SWINLITE = "swinlite"
_STAGES = ("read", "encode", "prompt", "decode", "write")  # columns of `swinlite predict --timing`
_PACKAGE = __name__.partition(".")[0]
_PREDICT = ("-m", _PACKAGE, "predict", "-q", "-i", "{inputs}", "-o", "{outputs}", "--timing", "{timing}")


@dataclass(frozen=True)
class System:
    """A program. command: its words, in which {inputs}, {outputs}, {timing} stand for the run's own paths."""

    name: str
    command: tuple[str, ...]
    engine: Engine | None = None  # where the command starts a container, whose memory nobody here can see


@dataclass(frozen=True)
class Run:
    """One case, once. parts: seconds by name, empty where the system writes no {timing}."""

    seconds: float
    peak_memory_mib: float | None
    parts: dict[str, float]


def swinlite(runtime: Runtime, image: str) -> System:
    """As the challenge runs it in a container; as a process, on a folder with the one case."""
    if runtime.engine is None:
        return System(SWINLITE, (sys.executable, *_PREDICT))
    start = (runtime.engine, "container", "run", "--rm", "-m", "8G")
    folders = ("-v", "{inputs}:/workspace/inputs", "-v", "{outputs}:/workspace/outputs")
    return System(SWINLITE, (*start, *folders, image, "/bin/bash", "-c", "sh predict.sh"), runtime.engine)


def peers(commands: Sequence[str]) -> list[System]:
    """Other programs, named peer1, peer2, ... Raises InputError where a command cannot be run."""
    return [System(f"peer{number}", _words(command)) for number, command in enumerate(commands, start=1)]


def _words(command: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise InputError(f"--peer {command}: cannot be split into words ({error}); close its quotes") from error
    if not ("{inputs}" in command and "{outputs}" in command):
        raise InputError(f"--peer {command}: expected {{inputs}} and {{outputs}} where the run's folders go")
    if shutil.which(words[0]) is None:
        raise InputError(f"--peer {command}: no program {words[0]} is found; give its path")
    return words


def run_once(system: System, case: Path, results: Path, group: Path | None = None) -> Run:
    """Time a system on one case file, and move its label map into a folder `results`.

    group: the control group that a process runs in. Raises CaseError where the run fails or writes no label map.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        paths = {name: Path(scratch) / name for name in ("inputs", "outputs", "timing")}
        paths["inputs"].mkdir()
        paths["outputs"].mkdir()
        paths["outputs"].chmod(0o777)  # for a container whose user is another
        shutil.copyfile(case, paths["inputs"] / case.name)
        command = _filled(system.command, paths)
        measured = measure(command if group is None or system.engine else inside(group, command))
        found = paths["outputs"] / case.name
        if not found.is_file():
            raise CaseError(f"ended well, but wrote no {case.name}")
        shutil.copyfile(found, results / case.name)
        parts = _parts(paths["timing"], measured.seconds) if paths["timing"].exists() else {}
    return Run(measured.seconds, None if system.engine else measured.peak_memory_mib, parts)


def _filled(command: Sequence[str], paths: dict[str, Path]) -> list[str]:
    words = list(command)
    for name, path in paths.items():
        words = [word.replace(f"{{{name}}}", str(path)) for word in words]
    return words


def _parts(timing: Path, seconds: float) -> dict[str, float]:
    """Where a run's seconds went: starting and ending, the stages of the case, the rest of it."""
    try:
        with timing.open(newline="", encoding="utf-8") as file:
            row = next(csv.DictReader(file))
        stages = {stage: float(row[stage]) for stage in _STAGES}
        running = float(row["RunningTime"])
    except (OSError, StopIteration, KeyError, ValueError) as error:
        raise CaseError(f"wrote no timing table as `swinlite predict --timing` does ({error!r})") from error
    return {"start": seconds - running, **stages, "rest": running - sum(stages.values())}


def limit_in_words(systems: Sequence[System], group: Path | None) -> str:
    """How the memory of containers and of processes is limited."""
    engines = {system.engine for system in systems}
    words = [f"8 GiB by {engine}, whose peak cannot be seen from here" for engine in engines if engine]
    if None in engines:
        loose = "not limited, since no control group (v2) can be made here; the peaks say what was needed"
        words.append(f"processes {loose if group is None else '8 GiB by a control group'}")
    return "; ".join(words)
