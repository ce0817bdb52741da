"""Names for the array types that flow between the rooms; shapes are in the docstrings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]
BoolArray = NDArray[np.bool_]
ByteArray = NDArray[np.uint8]
DoubleArray = NDArray[np.float64]
FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
LabelArray = NDArray[np.unsignedinteger[Any]]

Spacing = tuple[float, float, float]  # of voxels in mm, in the order of the array's axes
