"""Surfaces of masks on the lattice of voxel corners (of pixel corners in a picture).

A lattice point lies between 2x2x2 voxels (2x2 pixels), whose bits make its code: bit 4z + 2y + x is voxel
(z, y, x), bit 2y + x pixel (y, x). It is a surface element unless all its voxels are alike. Definition of
DeepMind's surface-distance (Nikolov et al., arXiv:1809.04430), whose numbers these are.
"""

from __future__ import annotations

from functools import cache
from itertools import permutations, product

import numpy as np
from scipy import ndimage

from ..arrays import BoolArray, ByteArray, DoubleArray, IntArray

# Normals of a surface element's facets for one code of each kind, as long as their facets are large, in units of
# which a voxel's face has 8 and a pixel's edge 4. Mirror images, turns and the complement of a code have the same
# facets, mirrored or turned; signs matter to no area and are left out.
_FACETS: dict[int, dict[int, tuple[tuple[int, ...], ...]]] = {
    2: {
        0b0001: ((2, 2),),
        0b0011: ((4, 0),),
        0b0110: ((4, 4),),
    },
    3: {
        0b00000001: ((1, 1, 1),),
        0b00000011: ((4, 4, 0),),
        0b00000110: ((2, 2, 2),),
        0b00000111: ((4, 0, 0), (3, 3, 3)),
        0b00001111: ((8, 0, 0),),
        0b00010110: ((3, 3, 3),),
        0b00010111: ((6, 6, 6),),
        0b00011000: ((2, 2, 2),),
        0b00011001: ((0, 4, 4), (1, 1, 1)),
        0b00011011: ((0, 2, 2), (2, 0, 2), (4, 4, 4)),
        0b00011110: ((4, 0, 0), (4, 4, 4)),
        0b00111100: ((8, 8, 0),),
        0b01101001: ((4, 4, 4),),
    },
}
_LARGEST_BALL = 4096  # lattice points; beyond, the distance transform is faster


def corner_codes(mask: BoolArray) -> ByteArray:
    """Code of every lattice point, uint8, one longer than the mask on each axis. Outside the mask is background."""
    codes = np.pad(mask, 1).astype(np.uint8)
    for step, axis in enumerate(reversed(range(mask.ndim))):
        along = np.moveaxis(codes, axis, 0)
        codes = np.moveaxis(along[:-1] | along[1:] << np.uint8(1 << step), 0, axis)
    return codes


def is_surface(codes: ByteArray) -> BoolArray:
    """Which lattice points have voxels of both kinds."""
    surface: BoolArray = (codes != 0) & (codes != len(_normals(codes.ndim)) - 1)
    return surface


def areas_by_code(spacing_mm: tuple[float, ...]) -> DoubleArray:
    """Area in mm^2 (length in mm in a picture) of the surface element of each code, (256,) or (16,).

    spacing_mm: one number an axis, in the order of the array's axes.
    """
    scale = np.prod(spacing_mm) / np.array(spacing_mm)
    areas: DoubleArray = np.linalg.norm(_normals(len(spacing_mm)) * scale, axis=2).sum(axis=1)
    return areas


@cache
def _normals(axes: int) -> DoubleArray:
    """Normals of the facets of every code, (codes, 3, axes), rows of zeros where there are fewer."""
    normals = np.zeros((1 << (1 << axes), 3, axes))
    for code, facets in _FACETS[axes].items():
        for turned, order in _symmetric_codes(code, axes):
            for twin in (turned, len(normals) - 1 - turned):
                normals[twin, : len(facets)] = np.array(facets)[:, order] / (1 << axes)
    return normals


def _symmetric_codes(code: int, axes: int) -> list[tuple[int, list[int]]]:
    """Every mirror image and turn of a code, with the order in which it takes the axes."""
    bits = 1 << np.arange(1 << axes)
    voxels = (code & bits != 0).reshape((2,) * axes)
    return [
        (int(np.flip(voxels.transpose(order), np.flatnonzero(flips)).ravel() @ bits), list(order))
        for order in permutations(range(axes))
        for flips in product((False, True), repeat=axes)
    ]


def near(points: BoolArray, others: BoolArray, spacing_mm: tuple[float, ...], tolerance_mm: float) -> BoolArray:
    """Which of `points`, in the array's order, have one of `others` within the tolerance.

    points, others: lattices of one shape, neither empty; (number of points,) bool comes back.
    """
    reach = np.ceil(tolerance_mm / np.array(spacing_mm))
    if np.prod(2 * reach + 1) > _LARGEST_BALL:
        distances = ndimage.distance_transform_edt(~others, sampling=spacing_mm)
        close: BoolArray = distances[points] <= tolerance_mm
        return close
    return _near_by_ball(points, others, _ball(reach.astype(np.int64), spacing_mm, tolerance_mm))


def _ball(reach: IntArray, spacing_mm: tuple[float, ...], tolerance_mm: float) -> IntArray:
    """Steps (N, axes) to the lattice points within the tolerance, nearest first."""
    steps: IntArray = np.indices((2 * reach + 1).tolist(), np.int64).reshape(len(reach), -1).T - reach
    distances = np.sqrt(np.square(steps * spacing_mm).sum(axis=1))
    order = np.argsort(distances, kind="stable")
    nearest_first: IntArray = steps[order][distances[order] <= tolerance_mm]
    return nearest_first


def _near_by_ball(points: BoolArray, others: BoolArray, ball: IntArray) -> BoolArray:
    """Look at one step of the ball after the other, each time only from the points that found nothing yet."""
    reach = ball.max(axis=0)
    padded = np.ascontiguousarray(np.pad(others, [(n, n) for n in reach]))
    strides = np.array(padded.strides)  # of bool: bytes are elements
    places = (np.argwhere(points) + reach) @ strides
    close = np.zeros(len(places), bool)
    waiting = np.arange(len(places))
    for step in ball @ strides:
        found = padded.ravel()[places[waiting] + step]
        close[waiting[found]] = True
        waiting = waiting[~found]
    return close
