"""One fuzzed input: what a reader must not do, and a report of what it did."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import SwinliteError

from .targets import Target

_OURS = Path(__file__).parents[1] / "app"
_STREAMS = (1, 2)  # standard output and error
_PRINTED_KEPT = 400  # bytes


class PrintedError(Exception):
    """A reader, or a library below it, printed something, or warned, which Python prints."""


class LeftBehindError(Exception):
    """A reader left files that were not there before."""


def crashes(target: Target, data: bytes) -> Iterator[Exception]:
    """Put an input before each reader of a target and give what comes out beside a SwinliteError.

    Warnings count, and so do output and files left behind. MemoryError does not, since callers answer it
    (`cases/failures.py`); memory really taken is limited from outside.
    """
    folder = Path(tempfile.mkdtemp())
    try:
        path = target.place(data, folder)
        for reader in target.readers:
            crash = _crash(reader, path, folder)
            if crash is not None:
                yield crash
    finally:
        shutil.rmtree(folder)


def name_of(crash: Exception) -> str:
    """The same for crashes of one type that come through the same line of ours, or with the same words printed."""
    if isinstance(crash, PrintedError | LeftBehindError):
        return f"{type(crash).__name__}-{'-'.join(re.findall('[A-Za-z]+', str(crash)))[:60]}"
    frames = traceback.extract_tb(crash.__traceback__)
    ours = [frame for frame in frames if _OURS in Path(frame.filename).parents] or frames
    return f"{type(crash).__name__}-{Path(ours[-1].filename).stem}-{ours[-1].lineno}"


def _crash(reader: Callable[[Path], object], path: Path, folder: Path) -> Exception | None:
    before, printed = set(folder.rglob("*")), io.BytesIO()
    try:
        with warnings.catch_warnings(record=True) as warned, _caught(printed):
            warnings.simplefilter("always")
            reader(path)
    except (SwinliteError, MemoryError):
        pass
    except Exception as crash:
        return crash
    if warned:
        return PrintedError(f"{warned[0].message} ({warned[0].filename}:{warned[0].lineno})")
    if printed.getvalue():
        return PrintedError(printed.getvalue().decode(errors="replace"))
    left = set(folder.rglob("*")) - before
    return LeftBehindError(", ".join(sorted(entry.name for entry in left))) if left else None


@contextmanager
def _caught(printed: io.BytesIO) -> Iterator[None]:
    """Collect what comes out of standard output and error, from C code too."""
    kept = [os.dup(stream) for stream in _STREAMS]
    with tempfile.TemporaryFile() as file:
        for stream in _STREAMS:
            os.dup2(file.fileno(), stream)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for stream, copy in zip(_STREAMS, kept, strict=True):
                os.dup2(copy, stream)
                os.close(copy)
            file.seek(0)
            printed.write(file.read(_PRINTED_KEPT))
