"""The challenge's files: `.npz` with `imgs` and `boxes` in, `.npz` with `segs` out."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import AnyArray, LabelArray
from ..errors import CaseError
from .atomic import write_atomically
from .boxes import as_boxes
from .case import Case
from .make_case import make_case

SUFFIX = ".npz"


def read_case(path: Path) -> Case:
    """Read a case; whether it is a picture or a volume is decided by its contents, not by its name.

    Raises CaseError, naming the file, for anything that cannot be understood.
    """
    try:
        arrays = _read_arrays(path, required=("imgs", "boxes"))
        return make_case(path.stem, arrays["imgs"], as_boxes(arrays["boxes"]))
    except CaseError as error:
        raise CaseError(f"{path.name}: {error}") from error


def read_truth(path: Path) -> LabelArray | None:
    """`gts` of a case, the label map that its boxes were drawn from, or None. Raises CaseError, naming the file."""
    try:
        truth = _read_arrays(path, optional=("gts",)).get("gts")
    except CaseError as error:
        raise CaseError(f"{path.name}: {error}") from error
    if truth is None:
        return None
    if truth.dtype.kind not in "ui" or (truth.size and truth.min() < 0):
        raise CaseError(f"{path.name}: gts has type {truth.dtype}, expected labels 0, 1, 2, ...")
    return truth.astype(np.uint16)


def write_segmentation(path: Path, labels: LabelArray) -> None:
    """Write `segs`, (H, W) or (D, H, W), compressed and atomically. Raises OSError."""
    with write_atomically(path) as file:
        np.savez_compressed(file, segs=labels)


def _read_arrays(path: Path, required: Sequence[str] = (), optional: Sequence[str] = ()) -> dict[str, AnyArray]:
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            return {key: _array(archive, key) for key in (*required, *optional) if key in required or key in archive}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise CaseError(f"is damaged or cut short ({error}); copy it again") from error
    except ValueError as error:
        raise CaseError(_why_not_arrays(path, error)) from error
    except OSError as error:
        raise CaseError(f"cannot be read: {error.strerror or error}") from error


def _array(archive: Any, key: str) -> AnyArray:
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise CaseError("is a single .npy array, expected an .npz with imgs and boxes")
    if key not in archive:
        raise CaseError(f"has no {key}; it holds: {', '.join(archive) or 'nothing'}")
    array = archive[key]
    if not isinstance(array, np.ndarray):
        raise CaseError(f"{key} is no NumPy array; save it again with numpy.savez_compressed")
    return array


def _why_not_arrays(path: Path, error: ValueError) -> str:
    if not zipfile.is_zipfile(path):
        return "is not an .npz file (not a zip archive); it may be of another kind or cut short"
    if "allow_pickle" in str(error):
        return "holds pickled objects, which are never loaded; save imgs and boxes as plain numeric arrays"
    return f"holds an array that cannot be read ({error}); save it again with numpy.savez_compressed"
