"""The challenge's files: `.npz` with `imgs` and `boxes` in, `.npz` with `segs` out."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from ..arrays import AnyArray, LabelArray, Spacing
from ..errors import CaseError, naming
from .atomic import write_atomically
from .boxes import as_boxes
from .case import LARGEST_LABEL, Case
from .geometry import VolumeGeometry
from .limits import DEFAULT_LIMITS, Limits
from .make_case import is_volume, make_case
from .scan import Scan, Structure

SUFFIX = ".npz"
_HEADER_BYTES = 12 + 10_000  # of an array: what leads to its text, and as much text as NumPy takes from strangers
_NAMED = 8  # arrays in one message
_LEVEL = 3  # of deflate; 6, NumPy's, takes three times as long for label maps and makes them half as large


def read_case(path: Path, limits: Limits = DEFAULT_LIMITS) -> Case:
    """Read a case; whether it is a picture or a volume is decided by its contents, not by its name.

    Raises CaseError, naming the file, for anything that cannot be understood or is beyond the limits.
    """
    with naming(path):
        arrays = _read_arrays(path, limits, required=("imgs", "boxes"), optional=("spacing",))
        case = make_case(path.stem, arrays["imgs"], as_boxes(arrays["boxes"]))
        limits.admit_slices(case.slices)
        stated = case.is_volume and "spacing" in arrays
        return replace(case, spacing_mm=_as_spacing(arrays["spacing"]) if stated else None)


def read(path: Path, limits: Limits = DEFAULT_LIMITS) -> Scan:
    """A case, of which boxes and sound spacing may be missing (`Format`); boxes tell a volume from a picture."""
    arrays = _read_arrays(path, limits, required=("imgs",), optional=("boxes", "spacing"))
    values, boxes = arrays["imgs"], as_boxes(arrays["boxes"]) if "boxes" in arrays else None
    volume = is_volume(values, np.zeros((0, 4), np.int64) if boxes is None else boxes, path.stem)
    spacing = _as_spacing(arrays["spacing"]) if volume and "spacing" in arrays else None
    geometry = VolumeGeometry.as_stored(values.shape[:3], spacing) if volume else None
    return Scan(path.stem, values, geometry, boxes=boxes)


def read_labels(path: Path, limits: Limits = DEFAULT_LIMITS) -> Scan:
    """`segs`, or `gts` where there is none (`Format`)."""
    arrays = _read_arrays(path, limits, optional=("segs", "gts"))
    key = next((key for key in ("segs", "gts") if key in arrays), None)
    if key is None:
        raise CaseError("has no label map; expected segs or gts")
    labels = _as_labels(key, arrays[key])
    return Scan(path.stem, labels, VolumeGeometry.as_stored(labels.shape) if labels.ndim == 3 else None)


def write(path: Path, labels: LabelArray, scan: Scan, structures: Sequence[Structure]) -> None:  # noqa: ARG001
    """`segs` alone, as the challenge has it (`Format`)."""
    write_segmentation(path, labels)


def read_truth(path: Path) -> LabelArray | None:
    """`gts` of a case, the label map that its boxes were drawn from, or None. Raises CaseError, naming the file."""
    with naming(path):
        truth = _read_arrays(path, DEFAULT_LIMITS, optional=("gts",)).get("gts")
        return None if truth is None else _as_labels("gts", truth)


def read_segmentation(path: Path) -> LabelArray:
    """`segs`, the label map found, (H, W) or (D, H, W). Raises CaseError, naming the file."""
    with naming(path):
        return _as_labels("segs", _read_arrays(path, DEFAULT_LIMITS, required=("segs",))["segs"])


def read_spacing(path: Path) -> Spacing:
    """`spacing` of a volume in mm, in the file's own order of axes. Raises CaseError, naming the file."""
    with naming(path):
        stored = _read_arrays(path, DEFAULT_LIMITS, required=("spacing",))["spacing"]
        spacing = _as_spacing(stored)
        if spacing is None:
            raise CaseError(f"spacing is {stored}, expected three positive numbers of mm")
        return spacing


def write_segmentation(path: Path, labels: LabelArray) -> None:
    """Write `segs`, (H, W) or (D, H, W), compressed and atomically; equal labels give equal bytes. Raises OSError."""
    _write_arrays(path, {"segs": labels})


def write_case(path: Path, case: Case, spacing_mm: Spacing | None, truth: LabelArray | None) -> None:
    """Write a case as the challenge has it: grey pictures in three channels; `spacing` and `gts` if known. OSError."""
    grey_picture = not case.is_volume and case.image.ndim == 2
    image = np.repeat(case.image[..., None], 3, axis=-1) if grey_picture else case.image
    arrays: dict[str, AnyArray] = {"imgs": image, "boxes": case.boxes}
    if spacing_mm is not None:
        arrays["spacing"] = np.array(spacing_mm)
    if truth is not None:
        arrays["gts"] = truth
    _write_arrays(path, arrays)


def _write_arrays(path: Path, arrays: Mapping[str, AnyArray]) -> None:
    with (
        write_atomically(path) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive,
    ):
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.save(entry, array)


def _as_spacing(array: AnyArray) -> Spacing | None:
    if array.shape != (3,) or array.dtype.kind not in "uif" or not np.all((array > 0) & (array < np.inf)):
        return None
    z, y, x = array.tolist()
    return z, y, x


def _as_labels(key: str, array: AnyArray) -> LabelArray:
    if array.dtype.kind not in "ui":
        raise CaseError(f"{key} has type {array.dtype}, expected labels 0, 1, 2, ...")
    low, high = array.min(initial=0), array.max(initial=0)
    if low < 0 or high > LARGEST_LABEL:
        raise CaseError(f"{key} runs from {low} to {high}, expected labels in 0..{LARGEST_LABEL}")
    return array.astype(np.uint16)


def _read_arrays(
    path: Path, limits: Limits, required: Sequence[str] = (), optional: Sequence[str] = ()
) -> dict[str, AnyArray]:
    try:
        limits.admit_file(path)
        _require_zip(path)
        with zipfile.ZipFile(path) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of arrays that Python 2 wrote
            members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
            if missing := [key for key in required if key not in members]:
                raise CaseError(f"has no {missing[0]}; it holds: {_some(list(members))}")
            found = {key: members[key] for key in (*required, *optional) if key in members}
            limits.admit_bytes(sum(member.file_size for member in found.values()))
            return {key: _array(archive, member, key, limits) for key, member in found.items()}
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise CaseError(f"is damaged or cut short ({error}); copy it again") from error
    except (ValueError, RuntimeError) as error:
        raise CaseError(f"holds what cannot be read ({error}); save it again with numpy.savez_compressed") from error
    except OSError as error:
        raise CaseError(f"cannot be read: {error.strerror or error}") from error


def _require_zip(path: Path) -> None:
    """By its first bytes; an empty file counts as one that is cut short."""
    with path.open("rb") as file:
        start = file.read(len(npy.MAGIC_PREFIX))
    if start == npy.MAGIC_PREFIX:
        raise CaseError("is a single .npy array, expected an .npz of named arrays")
    if start and not start.startswith(b"PK"):
        raise CaseError("is not an .npz file (not a zip archive); it may be of another kind or cut short")


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, key: str, limits: Limits) -> AnyArray:
    """An array that the limits admit; zipfile gives no more bytes of it than it is stated to have."""
    # zipfile inflates the other methods in steps of any size, and NumPy writes none of them.
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise CaseError(f"{key} is compressed in another way than NumPy's; save it again with numpy.savez_compressed")
    with archive.open(member) as file:
        shape, kind = _header(file, key)
        if kind.hasobject:
            raise CaseError("holds pickled objects, which are never loaded; save plain numeric arrays")
        if key == "boxes":
            limits.admit_objects(shape[0] if len(shape) > 1 else 1)
        else:
            limits.admit(shape, kind)
    with archive.open(member) as file:
        array: AnyArray = npy.read_array(file, allow_pickle=False)
        return array


def _header(file: IO[bytes], key: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array, from no more bytes than a header needs."""
    start = BytesIO(file.read(_HEADER_BYTES))
    try:
        if npy.read_magic(start) == (1, 0):
            shape, _, kind = npy.read_array_header_1_0(start)
        else:
            shape, _, kind = npy.read_array_header_2_0(start)
    except Exception as error:  # Python's parser, to which the text goes, fails in any way there is
        raise CaseError(f"{key} is no NumPy array; save it again with numpy.savez_compressed") from error
    return shape, kind


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (", ".join(names[:_NAMED]) or "nothing") + more
