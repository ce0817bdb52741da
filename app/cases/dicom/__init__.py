"""DICOM: a picture, an enhanced multi-frame file or the folder of a series in; a DICOM SEG out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from ...arrays import LabelArray
from ...errors import CaseError
from ..geometry import VolumeGeometry
from ..limits import DEFAULT_LIMITS, Limits
from ..scan import Scan, Structure
from .folder import read_frames
from .frames import Frame, plainly, quiet
from .pixels import read_values
from .seg import read_seg, write_seg
from .stack import stack

_MIRRORED = "MONOCHROME1, where larger is darker: values are mirrored, and a window counts in the mirrored ones"


def read(path: Path, limits: Limits = DEFAULT_LIMITS) -> Scan:
    """A file, or a folder that is one series (`Format`); one frame is a picture, more are a volume.

    Slices are in the order of their places along their normal, whatever their names and numbers.
    """
    with quiet(), plainly(""):
        frames, notes = read_frames(path, limits)
        if frames[0].header.get("PhotometricInterpretation") == "MONOCHROME1":
            notes.append(_MIRRORED)
        if len(frames) == 1:
            values, geometry = read_values(frames, limits)[0], None
        else:
            frames, affine = stack(frames)
            values = read_values(frames, limits)
            geometry = VolumeGeometry.from_affine(values.shape[:3], affine)
        return Scan(path.name, values, geometry, frames[0].header.get("Modality"), source=frames, notes=tuple(notes))


def read_labels(path: Path, limits: Limits = DEFAULT_LIMITS) -> Scan:
    """The segment numbers of a SEG, without the slices before its first and after its last (`Format`)."""
    if path.is_dir():
        raise CaseError("is a folder of DICOM files, which counts as a series; give the file of a SEG")
    with quiet(), plainly(""):
        labels, affine = read_seg(path, limits)
        return Scan(path.name, labels, VolumeGeometry.from_affine(labels.shape[:3], affine))


def write(path: Path, labels: LabelArray, scan: Scan, structures: Sequence[Structure]) -> None:
    """A SEG of the frames that were read (`Format`)."""
    frames = cast(list[Frame], scan.source)
    with quiet():
        write_seg(path, labels.reshape(len(frames), *labels.shape[-2:]), frames, structures)
