"""The exceptions that swinlite raises for things that a user can mend.

    SwinliteError              exit code 2
     +-- InputError            the command as a whole cannot be run (paths, names, options)
     +-- OutputError           the output folder cannot be written
     +-- WeightsError          weights are missing, altered or not what they should be
     +-- CaseError             one case cannot be segmented; the others go on; exit code 1

A message says which file, what was expected, what was found and what to do. The exit code lives on
the exception; only the command line prints and exits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SwinliteError(Exception):
    """Base of all; `exit_code` is what the command line ends with."""

    exit_code = 2


class InputError(SwinliteError):
    """The command as a whole cannot be run."""


class OutputError(SwinliteError):
    """The output folder cannot be written."""


class WeightsError(SwinliteError):
    """Weights are missing, altered, or do not fit the architecture."""


class CaseError(SwinliteError):
    """One case cannot be read, segmented or written."""

    exit_code = 1


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong with it."""
    try:
        yield
    except CaseError as error:
        raise CaseError(f"{path.name}: {error}") from error
