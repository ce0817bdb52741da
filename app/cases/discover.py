"""From paths on the command line to case files, and from case files to output files."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError, OutputError
from .challenge import SUFFIX


def find_cases(inputs: Sequence[Path]) -> list[Path]:
    """Case files in name order: the files given, and those directly in the folders given.

    Hidden files are left out of folders. Raises InputError where there is nothing to do or where two
    files would write the same output.
    """
    files: list[Path] = []
    for entry in inputs:
        if not entry.exists():
            raise InputError(f"{entry}: no such file or folder")
        files += _cases_in(entry) if entry.is_dir() else [entry]
    if not files:
        raise InputError(f"no {SUFFIX} case in {', '.join(str(entry) for entry in inputs)}; nothing to do")
    by_name: dict[str, list[Path]] = defaultdict(list)
    for path in {file.resolve(): file for file in files}.values():
        by_name[path.stem].append(path)
    for name, paths in by_name.items():
        if len(paths) > 1:
            listed = " and ".join(str(path) for path in paths)
            raise InputError(f"two inputs would both write {name}{SUFFIX}: {listed}; rename one or run them apart")
    return sorted((paths[0] for paths in by_name.values()), key=lambda path: path.name)


def _cases_in(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.suffix == SUFFIX and not path.name.startswith(".")]
    except OSError as error:
        raise InputError(f"{folder}: cannot be listed: {error.strerror}") from error


def prepare_output_folder(folder: Path, cases: Sequence[Path]) -> None:
    """Make the folder and prove that it can be written, before any work is done.

    Raises OutputError that says what to do, or InputError where an output would overwrite its own input.
    """
    for case in cases:
        if (folder / case.name).resolve() == case.resolve():
            raise InputError(f"{folder}: writing here would overwrite the input {case}; choose another folder")
    probe = folder / f".swinlite-probe.{os.getpid()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(
            f"output folder {folder} cannot be written as user {os.getuid()}: {error.strerror}; change its owner or "
            f'permissions, or run the container with --user "$(id -u):$(id -g)" of a user who may write there'
        ) from error
