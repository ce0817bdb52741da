"""PNG, JPEG and TIFF (`Format`), as viewers show them: turned as their EXIF orientation says, without opacity."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import cv2
import imagesize
import numpy as np

from ..arrays import AnyArray, LabelArray
from ..errors import CaseError
from .atomic import write_atomically
from .limits import DEFAULT_LIMITS, Limits
from .scan import Scan, Structure

_AS_SHOWN = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH  # grey or colour, 8 or 16 bit or float; EXIF heeded


def read(path: Path, limits: Limits = DEFAULT_LIMITS) -> Scan:
    """(H, W) or (H, W, 3), red first."""
    picture = _decode(path, limits)
    if picture.ndim == 3:
        picture = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
    return Scan(path.name, picture)


def read_labels(path: Path, limits: Limits = DEFAULT_LIMITS) -> Scan:
    """(H, W), 8 or 16 bit."""
    labels = _decode(path, limits)
    if labels.ndim != 2:
        raise CaseError("is in colour or has a palette; expected a label map, grey of 8 or 16 bit")
    return Scan(path.name, labels)


def write(path: Path, labels: LabelArray, scan: Scan, structures: Sequence[Structure]) -> None:  # noqa: ARG001
    """A grey PNG, 8 bit to 255 labels, 16 bit beyond."""
    if labels.dtype.itemsize > 2:
        raise CaseError("has more labels than the 65535 that a PNG holds; write --format npz")
    with write_atomically(path) as file:
        file.write(cv2.imencode(".png", labels)[1].tobytes())


def _decode(path: Path, limits: Limits) -> AnyArray:
    """Raises CaseError for what cannot be decoded whole, and for stacks of pictures."""
    limits.admit_file(path)
    content = path.read_bytes()
    width, height = imagesize.get(BytesIO(content))
    if min(width, height) < 1:
        raise CaseError("is no picture that can be decoded, or damaged or cut short")
    limits.admit((height, width, 3), np.dtype(np.uint8))
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), _AS_SHOWN)
        pages = cv2.imcount(str(path)) if path.suffix.lower() in {".tif", ".tiff"} else 1
    except cv2.error as error:
        raise CaseError(f"cannot be decoded ({error.err})") from error
    if picture is None:
        raise CaseError("is no picture that can be decoded, or damaged or cut short")
    if pages > 1:
        raise CaseError(f"holds {pages} pages, expected one; save them apart, or as one volume in .nii.gz")
    limits.admit(picture.shape, picture.dtype)  # wider values than bytes
    return np.asarray(picture)
