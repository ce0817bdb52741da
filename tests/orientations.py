"""The 48 orders in which one volume can be stored."""

from __future__ import annotations

from itertools import permutations, product

import nibabel
import numpy as np
from nibabel.nifti1 import Nifti1Image
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform

from app.arrays import AnyArray

# Of a volume in canonical order: x leads to the left, y to the back, z to the head, 1, 2 and 3 mm apart.
AFFINE = np.array([[-1.0, 0, 0, 10], [0, -2, 0, 20], [0, 0, 3, 30], [0, 0, 0, 1]])

ORIENTATIONS = [np.array(order).T for order in product(permutations(range(3)), product((1, -1), repeat=3))]


def stored(canonical: AnyArray, orientation: AnyArray) -> Nifti1Image:
    """A volume (z, y, x) as nibabel stores it in one of the orders."""
    image: Nifti1Image = nibabel.Nifti1Image(canonical.T, AFFINE).as_reoriented(orientation)
    return image


def canonical(image: Nifti1Image) -> AnyArray:
    """Any image's voxels as (z, y, x), by nibabel alone."""
    turn = ornt_transform(io_orientation(image.affine), axcodes2ornt(("L", "P", "S")))
    return np.asarray(image.as_reoriented(turn).dataobj).T
