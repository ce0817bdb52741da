"""The formats that cases come in: which files are whose, and the protocol that each follows.

To add one: a module of this room with the three functions of `Format`, and its `Kind` in `KINDS`. The module is
imported when a file of its kind is met, so that npz alone needs no other library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from ..arrays import LabelArray
from ..errors import CaseError
from .limits import DEFAULT_LIMITS, Limits
from .scan import Scan, Structure


class Format(Protocol):
    """A module that reads and writes one kind of file. All raise CaseError without the file's name, or OSError.

    Arrays are in stored order, (k, j, i) for a volume; who calls turns them (see geometry.py). What limits do not admit
    is a CaseError before memory is taken for it.
    """

    def read(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> Scan:
        """An image with what belongs to it."""

    def read_labels(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> Scan:
        """A label map: `values` are whole numbers, of any type."""

    def write(self, path: Path, labels: LabelArray, scan: Scan, structures: Sequence[Structure]) -> None:
        """Write a label map of a scan that `read` gave, atomically. structures: those that boxes asked for."""


@dataclass(frozen=True)
class Kind:
    """One kind of file: what users call it, its endings, and where its module is.

    suffixes: of files that are read. written: of files that are written; an input with one of them keeps it, any
    other gets the first. mark: bytes at an offset, by which a file without a known ending is told. by_folder: the
    files of one folder are one case, whose path is the folder. index: the name of files of that kind that only list
    others.
    """

    name: str
    suffixes: tuple[str, ...]
    written: tuple[str, ...]
    module: str
    mark: tuple[int, bytes] | None = None
    by_folder: bool = False
    index: str | None = None

    def load(self) -> Format:
        """The module. Raises CaseError where the library that it needs is not installed."""
        try:
            return cast(Format, import_module(f".{self.module}", __package__))
        except ModuleNotFoundError as error:
            missing = str(error.name).partition(".")[0]
            raise CaseError(f"{self.name} needs {missing}; pip install 'swinlite[io]'") from error

    def marks(self, path: Path) -> bool:
        """Whether a file has the mark of this kind; a file that cannot be read has none."""
        if self.mark is None:
            return False
        offset, expected = self.mark
        if not path.is_file():  # a pipe would never open
            return False
        try:
            with path.open("rb") as file:
                file.seek(offset)
                return file.read(len(expected)) == expected
        except OSError:
            return False

    def makes_a_case_of_its_folder(self, path: Path) -> bool:
        """Whether the folder of a path of this kind is a case for it."""
        return self.by_folder and path.is_file() and path.name != self.index


NPZ = Kind("npz", (".npz",), (".npz",), "challenge")
PICTURE = Kind("picture", (".png", ".jpg", ".jpeg", ".tif", ".tiff"), (".png",), "pictures")
NIFTI = Kind("NIfTI", (".nii.gz", ".nii"), (".nii.gz", ".nii"), "nifti")
DICOM = Kind("DICOM", (".dcm", ".ima"), (".dcm",), "dicom", (128, b"DICM"), by_folder=True, index="DICOMDIR")
KINDS = (NPZ, PICTURE, NIFTI, DICOM)


def kind_of(path: Path) -> Kind | None:
    """By the ending of the name, whatever the case of its letters, else by the mark; None where neither tells.

    A folder is of the kind of the files in it if these are one case.
    """
    if path.is_dir():
        return _kind_of_folder(path)
    suffix = suffix_of(path)
    told = (kind for kind in KINDS if (suffix in kind.suffixes if suffix else kind.marks(path)))
    return next(told, None)


def required_kind(path: Path) -> Kind:
    """`kind_of` a path that must have one. Raises CaseError."""
    kind = kind_of(path)
    if kind is None:
        endings = ", ".join(suffix for known in KINDS for suffix in known.suffixes)
        raise CaseError(f"is of no known kind; expected a name that ends in one of {endings}")
    return kind


def suffix_of(path: Path) -> str:
    """The known ending of a name in lower case, .nii.gz in one; "" where it has none of them."""
    known = (suffix for kind in KINDS for suffix in kind.suffixes)
    return next((suffix for suffix in known if path.name.lower().endswith(suffix)), "")


def base_name(path: Path) -> str:
    """The name of a case: the file's without its known ending, or the folder's."""
    name = path.resolve().name if path.name in {"", ".."} else path.name
    return name if path.is_dir() else stem_of(name)


def stem_of(name: str) -> str:
    """A file's name without its known ending, or whole where it is nothing else."""
    return name[: len(name) - len(suffix_of(Path(name)))] or name


def output_name(path: Path, written: Kind | None = None) -> str:
    """File name of the label map of an input, written as `written`, by default as the input's own kind."""
    return base_name(path) + written_suffix(path, written)


def written_suffix(path: Path, written: Kind | None = None) -> str:
    """The ending of that name."""
    kind, suffix = written or kind_of(path) or NPZ, suffix_of(path)
    return suffix if suffix in kind.written else kind.written[0]


def _kind_of_folder(folder: Path) -> Kind | None:
    try:
        files = [file for file in sorted(folder.iterdir()) if file.is_file() and not file.name.startswith(".")]
    except OSError:
        return None
    kinds = ((file, kind_of(file)) for file in files)
    return next((kind for file, kind in kinds if kind and kind.makes_a_case_of_its_folder(file)), None)
