"""Small DICOM files, made for the tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, EnhancedMRImageStorage, ExplicitVRLittleEndian, generate_uid

from app.arrays import AnyArray

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)  # rows lead to the patient's left, columns to the back
PATIENT = "Secret^Name"
Vector = Sequence[float]


def write_picture(path: Path, pixels: AnyArray, **attributes: Any) -> Path:
    """A CT picture (H, W), or one in colour (H, W, 3), without a place in the patient unless attributes give it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _as_dataset(pixels, attributes).save_as(path, enforce_file_format=True)
    return path


def write_series(
    folder: Path,
    volume: AnyArray,
    directions: Vector = AXIAL,
    origin: Vector = (0.0, 0.0, 0.0),
    step: Vector | None = None,
    each: Callable[[int], dict[str, Any]] = lambda _: {},
    **attributes: Any,
) -> list[Path]:
    """Write slices (D, H, W), each a `step` from the one before (mm, LPS; 1 mm up their normal), names in no order.

    each: the attributes of slice k alone.
    """
    step = np.cross(directions[:3], directions[3:]).tolist() if step is None else step
    names = np.random.default_rng(7).permutation(len(volume)).tolist()
    common = {
        "SeriesInstanceUID": generate_uid(),
        "FrameOfReferenceUID": generate_uid(),
        "ImageOrientationPatient": list(directions),
        "PixelSpacing": [1.0, 1.0],
    }
    paths = []
    for k, pixels in enumerate(volume):
        place = {"ImagePositionPatient": [start + k * mm for start, mm in zip(origin, step, strict=True)]}
        paths.append(write_picture(folder / f"IM{names[k]}", pixels, **(common | place | attributes | each(k))))
    return paths


def write_enhanced(path: Path, volume: AnyArray, heights_mm: Vector, slopes: Vector) -> Path:
    """An enhanced MR of axial frames (D, H, W) at these heights, each with a slope and an orientation of its own."""
    made = _as_dataset(volume[0], {"SOPClassUID": EnhancedMRImageStorage, "Modality": "MR"})
    made.NumberOfFrames = len(volume)
    made.PixelData = np.ascontiguousarray(volume).tobytes()
    made.FrameOfReferenceUID = generate_uid()
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing = [2.0, 1.0]
    shared.PixelMeasuresSequence = [measures]
    made.SharedFunctionalGroupsSequence = [shared]
    made.PerFrameFunctionalGroupsSequence = [_group(z, slope) for z, slope in zip(heights_mm, slopes, strict=True)]
    made.save_as(path, enforce_file_format=True)
    return path


def _group(height_mm: float, slope: float) -> Dataset:
    group, position, orientation, transformation = Dataset(), Dataset(), Dataset(), Dataset()
    position.ImagePositionPatient, orientation.ImageOrientationPatient = [0.0, 0.0, height_mm], list(AXIAL)
    transformation.RescaleSlope, transformation.RescaleIntercept = slope, 0
    group.PlanePositionSequence, group.PlaneOrientationSequence = [position], [orientation]
    group.PixelValueTransformationSequence = [transformation]
    return group


def _as_dataset(pixels: AnyArray, attributes: dict[str, Any]) -> Dataset:
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    interpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    made.set_pixel_data(pixels, interpretation, 8 * pixels.itemsize)
    made.SOPClassUID, made.StudyInstanceUID, made.SeriesInstanceUID = CTImageStorage, "1.2.3", generate_uid()
    made.PatientName, made.PatientID, made.Modality = PATIENT, "PID-7", "CT"
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made
