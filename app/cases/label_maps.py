"""Label maps of any kind of file: masks whose boxes are wanted, truths, results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..arrays import AnyArray, LabelArray
from ..errors import CaseError, naming
from .case import LARGEST_LABEL
from .formats import NPZ, Kind, required_kind
from .geometry import VolumeGeometry
from .limits import DEFAULT_LIMITS, Limits
from .scan import Scan, Structure

_SAME_PLACE_MM = 0.01


def read_label_map(path: Path, scan: Scan, limits: Limits = DEFAULT_LIMITS) -> LabelArray:
    """The label map in a file, (H, W) or canonical (z, y, x), that lies where `scan` lies. Raises CaseError.

    One of a part of the scan's voxels, as a DICOM SEG has no empty slices at its ends, is filled up with background.
    """
    with naming(path):
        try:
            found = required_kind(path).load().read_labels(path, limits)
        except OSError as error:
            raise CaseError(f"cannot be read: {error.strerror or error}") from error
        if found.values.ndim != len(found.canonical_shape):
            raise CaseError(f"has values of shape {found.values.shape}, expected a label for each pixel or voxel")
        start = _start_of_part(found.geometry, scan.geometry)
        if start is not None:
            sizes = zip(start, found.canonical_shape, scan.canonical_shape, strict=True)
            around = [(before, whole - before - part) for before, part, whole in sizes]
            return np.pad(_as_labels(found.canonical_values), around)
        if found.canonical_shape != scan.canonical_shape:
            raise CaseError(f"has labels of shape {found.canonical_shape}, expected the image's {scan.canonical_shape}")
        if not _same_place(found.geometry, scan.geometry):
            raise CaseError("its labels lie elsewhere in the patient than the image; resample them to it")
        return _as_labels(found.canonical_values)


def write_label_map(path: Path, labels: LabelArray, scan: Scan, kind: Kind, structures: Sequence[Structure]) -> None:
    """Write labels (H, W) or canonical (z, y, x) of a scan, as npz or as the scan's own kind. CaseError, OSError."""
    if kind is not NPZ and scan.geometry is not None:
        labels = scan.geometry.to_stored(labels)
    kind.load().write(path, labels, scan, structures)


def _same_place(one: VolumeGeometry | None, other: VolumeGeometry | None) -> bool:
    """Whether first and last voxel of two volumes of one shape lie together; taken for granted without an affine."""
    affines = [geometry.canonical_affine for geometry in (one, other) if geometry is not None]
    if len(affines) < 2 or affines[0] is None or affines[1] is None or one is None:
        return True
    z, y, x = one.canonical_shape
    apart = (affines[0] - affines[1]) @ np.array([[0, 0, 0, 1], [x, y, z, 1]]).T
    return bool(np.abs(apart).max() < _SAME_PLACE_MM)


def _start_of_part(part: VolumeGeometry | None, whole: VolumeGeometry | None) -> tuple[int, ...] | None:
    """The canonical voxel (z, y, x) of a volume at which another begins that shares voxels with it; None otherwise."""
    if part is None or whole is None or part.canonical_affine is None or whole.canonical_affine is None:
        return None
    shift = np.eye(4)
    shift[:3, 3] = np.rint(np.linalg.solve(whole.canonical_affine, part.canonical_affine[:, 3]))[:3]
    start, size = shift[2::-1, 3], np.array(part.canonical_shape)
    if not np.all((start >= 0) & (start + size <= whole.canonical_shape)):
        return None
    corners = np.array([[0, 0, 0, 1], [*size[::-1], 1]]).T
    apart = np.abs((part.canonical_affine - whole.canonical_affine @ shift) @ corners).max()
    return None if apart > _SAME_PLACE_MM else tuple(start.astype(int).tolist())


def _as_labels(values: AnyArray) -> LabelArray:
    """Whole numbers of any type to uint16."""
    if values.dtype.kind not in "uif" or not np.array_equal(values, np.rint(values)):
        raise CaseError("holds other values than whole numbers; expected labels 0, 1, 2, ...")
    low, high = values.min(initial=0), values.max(initial=0)
    if low < 0 or high > LARGEST_LABEL:
        raise CaseError(f"has labels from {low} to {high}, expected 0..{LARGEST_LABEL}")
    return values.astype(np.uint16)
