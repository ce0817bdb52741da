"""One command, from its start to its end: seconds and the most memory."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..errors import CaseError

_GRACE = 10.0  # seconds for an interrupted command to end by itself
_TAIL = 2000  # bytes of what a failed command said that are looked at


@dataclass(frozen=True)
class Measured:
    """One process: seconds from its start to its end, and the most memory that it or a child of it held.

    The peak is never below that of the process that measures, which Linux hands on at the start: what needs
    much memory must not be done there.
    """

    seconds: float
    peak_memory_mib: float


def measure(
    command: Sequence[str], environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> Measured:
    """Run a command in a folder to its end. Raises CaseError with the last line that it said where that is a failure.

    Raises OSError where the command cannot be started.
    """
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            _end(process)
            raise
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise CaseError(f"{_ending(process.returncode)}; it said last: {_last_line(said)}")
    return Measured(round(seconds, 3), round(used.ru_maxrss / (1 << 10)))


def _end(process: subprocess.Popen[bytes]) -> None:
    """An interrupt, as from the keyboard: an engine hands it on to its container."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ending(exit_code: int) -> str:
    if exit_code in {-signal.SIGKILL, 128 + signal.SIGKILL}:
        return "was killed, perhaps for its memory"
    return f"ended with exit code {exit_code}"


def _last_line(said: IO[bytes]) -> str:
    said.seek(max(0, said.seek(0, os.SEEK_END) - _TAIL))
    lines = said.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "nothing")
