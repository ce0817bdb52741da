"""The geometry contract: how every file's volume lies in its array, in millimetres and in boxes.

A stored volume is an array (k, j, i), the file's fastest axis last, as SimpleITK gives it; nibabel's (i, j, k) is
turned round when read. Boxes in voxels name the stored indices as viewers do: x = i, y = j, z = k. An affine (4, 4)
leads from (i, j, k), voxel centres at whole numbers, to millimetres RAS+ as nibabel has them: x grows from the
patient's left to the right, y from back to front, z from feet to head. DICOM's LPS+ has x and y with the other sign.

All work is done in the canonical order, an array (z, y, x): z from feet to head, y from front to back, x from the
patient's right to the left, so that a slice is axial and looks as radiologists show it. It is reached from the stored
one by turning and flipping whole axes, each to the direction nearest to it (nibabel's `io_orientation`); oblique
volumes are not resampled, so that every label goes back to the voxel that it came from. `spacing_mm` is (z, y, x),
along the canonical axes. A volume without an affine, such as a challenge npz, counts as stored in canonical order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import AnyArray, BoolArray, DoubleArray, IntArray, Spacing
from ..errors import CaseError

_CANONICAL = ("L", "P", "S")  # where x, y, z lead, in nibabel's letters


@dataclass(frozen=True, eq=False)
class VolumeGeometry:
    """Of one stored volume; the contract is above.

    shape: (k, j, i). affine: (4, 4) from (i, j, k), canonical_affine: (4, 4) from canonical (x, y, z), to RAS+ mm; None
    where the file has none. stated_spacing_mm: (z, y, x) of a file without affine, None where it states none either.
    axes: the stored axis that becomes z, y and x. flips: which of z, y and x run against the stored axis. Make one with
    `from_affine` or `as_stored`.
    """

    shape: tuple[int, int, int]
    affine: DoubleArray | None = None
    canonical_affine: DoubleArray | None = None
    stated_spacing_mm: Spacing | None = None
    axes: tuple[int, int, int] = (0, 1, 2)
    flips: tuple[bool, bool, bool] = (False, False, False)

    @classmethod
    def as_stored(cls, shape: tuple[int, ...], spacing_mm: Spacing | None = None) -> VolumeGeometry:
        """Of a volume (k, j, i) whose place in the patient is not known."""
        k, j, i = shape
        return cls((k, j, i), stated_spacing_mm=spacing_mm)

    @classmethod
    def from_affine(cls, shape: tuple[int, ...], affine: DoubleArray) -> VolumeGeometry:
        """Of a volume (k, j, i) with an affine (4, 4) from (i, j, k) to RAS+ mm. Raises CaseError; uses nibabel."""
        from nibabel.orientations import axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform

        affine = np.asarray(affine, np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all() or np.linalg.matrix_rank(affine[:3, :3]) < 3:
            raise CaseError("its affine does not place three axes in space; save it again with sound orientation")
        turn = ornt_transform(io_orientation(affine), axcodes2ornt(_CANONICAL))
        # Row n of `turn`: the canonical axis (x 0, y 1, z 2) that i, j or k becomes, and its direction.
        stored_of = np.argsort(turn[:, 0])
        k, j, i = shape
        z, y, x = (2 - int(axis) for axis in stored_of[::-1])
        flip_z, flip_y, flip_x = (bool(turn[axis, 1] < 0) for axis in stored_of[::-1])
        canonical: DoubleArray = affine @ inv_ornt_aff(turn, (i, j, k))
        return cls((k, j, i), affine, canonical, None, (z, y, x), (flip_z, flip_y, flip_x))

    @property
    def canonical_shape(self) -> tuple[int, int, int]:
        z, y, x = (self.shape[axis] for axis in self.axes)
        return z, y, x

    @property
    def spacing_mm(self) -> Spacing | None:
        """(z, y, x) along the canonical axes, None where the file states none."""
        if self.canonical_affine is None:
            return self.stated_spacing_mm
        x, y, z = np.linalg.norm(self.canonical_affine[:3, :3], axis=0).tolist()
        return z, y, x

    def to_canonical(self, stored: AnyArray) -> AnyArray:
        """(k, j, i, ...) to (z, y, x, ...), a view."""
        return np.flip(np.moveaxis(stored, self.axes, (0, 1, 2)), self._flipped)

    def to_stored(self, canonical: AnyArray) -> AnyArray:
        """(z, y, x, ...) to (k, j, i, ...), a view: exactly the way back."""
        return np.moveaxis(np.flip(canonical, self._flipped), (0, 1, 2), self.axes)

    def boxes_to_canonical(self, boxes: IntArray) -> IntArray:
        """(N, 6) x_min, y_min, z_min, x_max, y_max, z_max in stored voxels, inclusive, to canonical voxels."""
        low, high = boxes[:, 2::-1][:, self.axes], boxes[:, 5:2:-1][:, self.axes]
        last = np.array(self.canonical_shape, np.int64) - 1
        flipped: BoolArray = np.array(self.flips)
        turned_low, turned_high = np.where(flipped, last - high, low), np.where(flipped, last - low, high)
        return np.concatenate([turned_low[:, ::-1], turned_high[:, ::-1]], axis=1)

    def boxes_from_mm(self, boxes: DoubleArray) -> IntArray:
        """(N, 6) in RAS+ mm, minima then maxima, to the canonical voxels around them, corners rounded.

        Of an oblique volume the box around the turned box is taken. Raises CaseError without an affine.
        """
        if self.canonical_affine is None:
            raise CaseError("boxes in millimetres need a volume with an affine, which it has not; give them in voxels")
        picks = np.array([[c >> axis & 1 for axis in range(3)] for c in range(8)])  # the corners of a box
        corners = np.where(picks, boxes[:, None, 3:], boxes[:, None, :3])
        to_voxel = np.linalg.inv(self.canonical_affine)
        indices = corners @ to_voxel[:3, :3].T + to_voxel[:3, 3]
        extremes = np.concatenate([indices.min(axis=1), indices.max(axis=1)], axis=1)
        return np.asarray(np.rint(extremes), np.int64)

    @property
    def _flipped(self) -> tuple[int, ...]:
        return tuple(axis for axis in range(3) if self.flips[axis])
