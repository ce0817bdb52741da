"""The cases that speed is measured on."""

from __future__ import annotations

from app.benchmark.phantoms import CaseKind

KINDS = (
    CaseKind("2DBox_one", "Microscope", (512, 512), 1),
    CaseKind("2DBox_twenty", "Microscope", (512, 512), 20),
    CaseKind("3DBox_one", "CT", (512, 512), 1, 20),
    CaseKind("3DBox_six", "CT", (512, 512), 6, 20),
    CaseKind("2DBox_cells", "Microscope", (1920, 2560), 241),
    CaseKind(
        "3DBox_long", "CT", (512, 512), 6, 287,
        ((141, 201), (41, 106), (120, 225), (57, 241), (62, 257), (23, 153)),
    ),
)  # fmt: skip
# 20 objects on 60 to 200 slices each, their first slices spread over the volume.
LARGEST = CaseKind(
    "3DBox_largest",
    "CT",
    (512, 512),
    20,
    600,
    tuple((first, first + 59 + 7 * (first % 21)) for first in range(4, 400, 20)),
)
