"""Files and folders appear whole or not at all.

What is being made has a name of its own beside its later place, and a lock (flock) by which other runs see that it
is in use. A run that was killed leaves it behind; a later one finds it without its lock and removes it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_TEMPORARY = ".swinlite-{}.tmp"  # the dot hides it from readers that list the folder


@contextmanager
def write_atomically(path: Path) -> Iterator[IO[bytes]]:
    """Yield a binary file beside `path` that takes its name when the block ends well, and vanishes otherwise."""
    temporary = _temporary_beside(path)
    try:
        with temporary.open("xb") as file:
            _lock(file.fileno())
            yield file
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def fill_folder_atomically(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder` that takes its name when the block ends well, and vanishes otherwise."""
    remove_leftovers(folder.parent)
    temporary = _temporary_beside(folder)
    try:
        temporary.mkdir(parents=True)
        with _opened(temporary) as descriptor:
            _lock(descriptor)
            yield temporary
            temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed runs left in a folder; what a running one is making stays, and so does what cannot go."""
    for path in folder.glob(_TEMPORARY.format("*")):
        with suppress(OSError), _opened(path) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def _temporary_beside(path: Path) -> Path:
    return path.with_name(_TEMPORARY.format(os.urandom(8).hex()))


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Held until the descriptor is closed. File systems without locks go on without."""
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
