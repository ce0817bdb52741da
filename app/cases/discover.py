"""From paths on the command line to case files, and from case files to output files."""

from __future__ import annotations

import os
import tempfile
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from ..errors import CaseError, InputError, OutputError
from .atomic import remove_leftovers
from .formats import NPZ, Kind, base_name, kind_of, output_name

_LONGEST_NAME = 255  # bytes, of Linux's usual file systems


def find_cases(inputs: Sequence[Path], kinds: Sequence[Kind] = (NPZ,)) -> list[Path]:
    """Cases in name order: the files given, and those directly in the folders given, if they are of these kinds.

    Files of a kind that goes by folder are one case, which is the folder, and so are those in each folder of a
    folder given. Hidden files are left out. Raises InputError where there is nothing to do or where two cases have
    the same name.
    """
    files: list[Path] = []
    for entry in inputs:
        if not exists(entry):
            raise InputError(f"{entry}: no such file or folder")
        files += _cases_in(entry, kinds) if entry.is_dir() else [entry]
    if not files:
        endings = ", ".join(suffix for kind in kinds for suffix in kind.suffixes)
        raise InputError(f"no case ({endings}) in {', '.join(str(entry) for entry in inputs)}; nothing to do")
    by_name: dict[str, list[Path]] = defaultdict(list)
    for path in {(_real(file), base_name(file)): file for file in files}.values():
        by_name[base_name(path)].append(path)
    for name, paths in by_name.items():
        if len(paths) > 1:
            listed = " and ".join(str(path) for path in paths)
            raise InputError(f"two inputs are both called {name}: {listed}; rename one or run them apart")
    return sorted((paths[0] for paths in by_name.values()), key=lambda path: path.name)


def exists(path: Path) -> bool:
    """Whether it can be found: not with a name that is too long for one, nor where it may not be looked for."""
    try:
        return path.exists()
    except OSError:
        return False


def _real(path: Path) -> Path:
    """The file behind links; a link that leads to itself stays what it is, and fails as a case."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path.absolute()


def _cases_in(folder: Path, kinds: Sequence[Kind]) -> list[Path]:
    try:
        found = [(path, kind_of(path)) for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise InputError(f"{folder}: cannot be listed: {error.strerror}") from error
    ours = [(path, kind) for path, kind in found if kind in kinds]
    in_parts = any(kind.makes_a_case_of_its_folder(path) for path, kind in ours if kind)
    return [path for path, kind in ours if kind and kind.by_folder == path.is_dir()] + [folder] * in_parts


def file_of(case: str, given: Path, beside: Sequence[str] = ()) -> Path:
    """`given`, or if it is a folder of files, the one in it that has a case's name.

    Files of every kind count, and those with one of the endings `beside`. Raises CaseError where there is not one.
    """
    if not given.is_dir() or kind_of(given) is not None:
        return given
    files = [path for path in sorted(given.iterdir()) if _belongs_to(case, path, beside)]
    if len(files) != 1:
        found = " and ".join(path.name for path in files) or "none"
        raise CaseError(f"needs one file of its name in {given}, found {found}")
    return files[0]


def _belongs_to(case: str, path: Path, beside: Sequence[str]) -> bool:
    if path.suffix.lower() in beside:
        return path.stem == case
    return base_name(path) == case and kind_of(path) is not None


def prepare_output_folder(
    folder: Path, cases: Sequence[Path], written: Kind | None = None, overlays: Path | None = None
) -> None:
    """Make the folder, prove that it can be written before any work is done, and clear away what killed runs left.

    written: the kind of the outputs, None for that of each case. overlays: where their pictures go. Raises
    OutputError that says what to do, or InputError where an output would overwrite an input, its own overlay or, where
    upper and lower case are one, another output, and where its name would be too long.
    """
    inputs = {_real(case) for case in cases}
    _require_sound_names(cases, written, overlays)
    for case in cases:
        output = folder / output_name(case, written)
        if _real(output) in inputs:
            raise InputError(f"{folder}: writing here would overwrite the input {case}; choose another folder")
        if overlays is not None and _real(output) == _real(overlays / f"{base_name(case)}.png"):
            raise InputError(f"{overlays}: label map and overlay of {case} would be one file; choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            remove_leftovers(folder)
    except OSError as error:
        raise OutputError(
            f"output folder {folder} cannot be written as user {os.getuid()}: {error.strerror}; change its owner or "
            f'permissions, or run the container with --user "$(id -u):$(id -g)" of a user who may write there'
        ) from error


def _require_sound_names(cases: Sequence[Path], written: Kind | None, overlays: Path | None) -> None:
    """Of what is written: not so long that no file can have it, and not what some file systems take for another's.

    macOS and Windows know neither upper from lower case nor a letter with its accent from the two side by side.
    """
    taken: dict[str, Path] = {}
    for case in cases:
        names = [output_name(case, written), *([f"{base_name(case)}.png"] if overlays else [])]
        longest = max(len(os.fsencode(name)) for name in names)
        if longest > _LONGEST_NAME:
            raise InputError(f"{case}: the name of its output would have {longest} bytes of {_LONGEST_NAME}; rename it")
        other = taken.setdefault(unicodedata.normalize("NFC", base_name(case)).casefold(), case)
        if other != case:
            raise InputError(
                f"the names of {other} and {case} differ in upper and lower case alone, which not every file system "
                "keeps apart; rename one or run them apart"
            )
