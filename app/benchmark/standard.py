"""The standard suite: cases of the shapes and object counts of fourteen whose seconds have been published.

Published seconds: "Modality-Specific Strategies ..." (the challenge's NeuroDesk team), Table 5: PyTorch, ONNX and
OpenVINO on an Intel i7-12700, a container's start to its saved result; Rep-MedSAM's README for the volumes, cached.

The boxes' z ranges are not published; those here are ours. PyTorch's seconds grow with the slices of all objects
together, so each case has (seconds - 3.2, a picture's) / 0.25 of them: at a quarter of a second 3DBox_MR_0121's six
objects lie on nearly all of its slices, and much less would be too short for it. PET was segmented in three views,
so it has a third. 3DBox_CT_0888's objects follow each other, the other cases' lie side by side: so Rep-MedSAM's
seconds, which count a slice once for all objects, have it.
"""

from __future__ import annotations

from dataclasses import dataclass

from .phantoms import CaseKind


@dataclass(frozen=True)
class Published:
    """Seconds of one case by other systems; None where it is not published."""

    pytorch: float
    onnx: float
    openvino: float
    rep_medsam: float | None = None


STANDARD = (
    CaseKind("2DBox_Dermoscopy_0003", "Dermoscopy", (3024, 4032), 1),
    CaseKind("2DBox_Endoscopy_0086", "Endoscopy", (480, 560), 1),
    CaseKind("2DBox_Fundus_0003", "Fundus", (2048, 2048), 1),
    CaseKind("2DBox_Microscope_0008", "Microscope", (1536, 2040), 19),
    CaseKind("2DBox_Microscope_0016", "Microscope", (1920, 2560), 241),
    CaseKind("2DBox_US_0525", "US", (256, 256), 1),
    CaseKind("2DBox_X-Ray_0053", "X-Ray", (320, 640), 34),
    CaseKind(
        "3DBox_CT_0566", "CT", (512, 512), 6, 287,
        ((10, 279), (5, 250), (30, 270), (40, 240), (60, 250), (100, 258)),
    ),
    CaseKind("3DBox_CT_0860", "CT", (512, 512), 1, 246, ((100, 147),)),
    CaseKind(
        "3DBox_CT_0888", "CT", (512, 512), 6, 237,
        ((8, 62), (45, 104), (85, 139), (120, 174), (150, 204), (183, 232)),
    ),
    CaseKind(
        "3DBox_MR_0121", "MR", (290, 320), 6, 64,
        ((2, 61), (2, 60), (3, 60), (4, 60), (6, 60), (7, 57)),
    ),
    CaseKind("3DBox_MR_0179", "MR", (512, 512), 1, 84, ((20, 62),)),
    CaseKind(
        "3DBox_MR_0621", "MR", (400, 400), 6, 115,
        ((5, 104), (8, 102), (10, 99), (12, 96), (20, 99), (25, 94)),
    ),
    CaseKind("3DBox_PET_0001", "PET", (200, 200), 1, 264, ((106, 157),)),
)  # fmt: skip

PUBLISHED = {
    "2DBox_Dermoscopy_0003": Published(4.03, 2.33, 1.52),
    "2DBox_Endoscopy_0086": Published(3.60, 2.04, 1.10),
    "2DBox_Fundus_0003": Published(3.64, 2.07, 1.18),
    "2DBox_Microscope_0008": Published(4.63, 2.52, 1.49),
    "2DBox_Microscope_0016": Published(12.81, 7.82, 7.01),
    "2DBox_US_0525": Published(3.62, 2.04, 1.13),
    "2DBox_X-Ray_0053": Published(3.27, 2.67, 1.49),
    "3DBox_CT_0566": Published(330.18, 208.05, 45.46, 74),
    "3DBox_CT_0860": Published(15.33, 9.46, 5.24, 6.2),
    "3DBox_CT_0888": Published(85.81, 56.96, 16.75, 25),
    "3DBox_MR_0121": Published(88.01, 57.26, 10.59, 16),
    "3DBox_MR_0179": Published(13.86, 9.14, 4.52, 5.4),
    "3DBox_MR_0621": Published(133.41, 88.25, 16.57, 26),
    "3DBox_PET_0001": Published(42.54, 31.72, 10.23),
}

# Their machines, their cases: of all that was published, what cannot stand beside one case.
PUBLISHED_MEANS = (
    "LiteMedSAM, the challenge's baseline: mean 14.69 s (Xeon W-2133)",
    "Swin-LiteMedSAM, as published: mean 11.01 s",
    "NeuroDesk (LiteMedSAM, EfficientViT-SAM, OpenVINO, C++): mean 4.61 s (i7-12700)",
    "DAFT (EfficientViT-SAM, OpenVINO, C++ and Python): mean 2.25 s",
    "MedficientSAM L1 (EfficientViT-SAM, OpenVINO, C++): pictures 1.0 s, volumes 9.0 s (i9-10900K)",
    "Rep-MedSAM (RepViT, torch): 3DBox_CT_0566 in 437 s before it kept what it had encoded",
)
