"""The geometry contract: every stored order becomes the canonical one, and comes back."""

from __future__ import annotations

import numpy as np
import pytest

from app.arrays import AnyArray, DoubleArray
from app.cases.geometry import VolumeGeometry
from app.errors import CaseError
from tests.orientations import AFFINE, ORIENTATIONS, stored

CANONICAL = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)  # (z, y, x)
BOX = np.array([[1, 0, 1, 3, 2, 2]])


def stored_volume(orientation: AnyArray) -> tuple[AnyArray, DoubleArray]:
    """(k, j, i) and affine."""
    image = stored(CANONICAL, orientation)
    return np.asarray(image.dataobj).T, np.asarray(image.affine)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_every_order_becomes_canonical_and_comes_back(orientation: AnyArray) -> None:
    volume, affine = stored_volume(orientation)
    geometry = VolumeGeometry.from_affine(volume.shape, affine)
    np.testing.assert_array_equal(geometry.to_canonical(volume), CANONICAL)
    np.testing.assert_array_equal(geometry.to_stored(CANONICAL), volume)
    assert geometry.canonical_shape == (3, 4, 5)
    np.testing.assert_allclose(geometry.canonical_affine, AFFINE)  # type: ignore[arg-type]
    np.testing.assert_allclose(geometry.spacing_mm, (3, 2, 1))  # type: ignore[arg-type]


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_box_follows_its_voxels(orientation: AnyArray) -> None:
    volume, affine = stored_volume(orientation)
    geometry = VolumeGeometry.from_affine(volume.shape, affine)
    x, y, z, to_x, to_y, to_z = BOX[0]
    k, j, i = np.nonzero(np.isin(volume, CANONICAL[z : to_z + 1, y : to_y + 1, x : to_x + 1]))
    box = np.array([[i.min(), j.min(), k.min(), i.max(), j.max(), k.max()]])
    np.testing.assert_array_equal(geometry.boxes_to_canonical(box), BOX)
    corners = affine[:3, :3] @ np.array([box[0, :3], box[0, 3:]]).T + affine[:3, 3:]
    in_mm = np.concatenate([corners.min(axis=1), corners.max(axis=1)])[None]
    np.testing.assert_array_equal(geometry.boxes_from_mm(in_mm), BOX)


def test_an_oblique_volume_keeps_its_voxels_and_its_spacing() -> None:
    """Turned by 20 degrees about the head-foot axis, the axes still lie next to the same directions."""
    cos, sin = np.cos(np.radians(20)), np.sin(np.radians(20))
    turn = np.array([[cos, -sin, 0, 0], [sin, cos, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    geometry = VolumeGeometry.from_affine((3, 4, 5), turn @ AFFINE)
    np.testing.assert_array_equal(geometry.to_canonical(CANONICAL), CANONICAL)
    np.testing.assert_allclose(geometry.spacing_mm, (3, 2, 1))  # type: ignore[arg-type]
    # The voxel at canonical x = 2, y = 1, z = 1 lies at (8, 18, 33) mm before the turn.
    point = (turn @ [8, 18, 33, 1])[:3]
    np.testing.assert_array_equal(geometry.boxes_from_mm(np.array([[*point, *point]])), [[2, 1, 1, 2, 1, 1]])


def test_a_volume_without_affine_is_canonical_and_has_no_millimetres() -> None:
    geometry = VolumeGeometry.as_stored((3, 4, 5), (3.0, 2.0, 1.0))
    np.testing.assert_array_equal(geometry.to_canonical(CANONICAL), CANONICAL)
    assert geometry.spacing_mm == (3.0, 2.0, 1.0)
    with pytest.raises(CaseError, match="give them in voxels"):
        geometry.boxes_from_mm(np.zeros((1, 6)))


@pytest.mark.parametrize("affine", [np.zeros((4, 4)), np.full((4, 4), np.nan), np.diag([1.0, 1, 0, 1])])
def test_an_affine_that_places_nothing_is_an_error(affine: DoubleArray) -> None:
    with pytest.raises(CaseError, match="does not place three axes"):
        VolumeGeometry.from_affine((3, 4, 5), affine)
