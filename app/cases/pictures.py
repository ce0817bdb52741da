"""PNG, JPEG and TIFF (`Format`), as viewers show them: turned as their EXIF orientation says, without opacity."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import imagesize
import numpy as np

from ..arrays import AnyArray, LabelArray
from ..errors import CaseError
from .atomic import write_atomically
from .decoding import decode
from .limits import DEFAULT_LIMITS, Limits
from .scan import Scan, Structure

if TYPE_CHECKING:
    from tifffile import TiffPages

_AS_SHOWN = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH  # grey or colour, 8 or 16 bit or float; EXIF heeded
_TIFF = {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}
_NO_PICTURE = "is no picture that can be decoded, or damaged or cut short"

logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # what it finds wrong is raised as well


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
    """Raises CaseError for what cannot be decoded whole, for stacks of pictures, and for what limits do not admit."""
    limits.admit_file(path)
    content = path.read_bytes()
    limits.admit(*stated_array(content))
    try:
        picture = decode(content, _AS_SHOWN)
    except cv2.error as error:
        raise CaseError(f"cannot be decoded ({error.err})") from error
    if picture is None:
        raise CaseError(_NO_PICTURE)
    return picture


def stated_array(content: bytes) -> tuple[tuple[int, int, int], np.dtype[Any]]:
    """Shape and type in colour, by the header of a file. Raises CaseError."""
    if content[:4] in _TIFF:
        return _stated_by_tiff(content)
    width, height = imagesize.get(BytesIO(content))
    if min(width, height) < 1:
        raise CaseError(_NO_PICTURE)
    deep = content.startswith(b"\x89PNG") and content[24:25] == b"\x10"  # bits of a channel, by PNG's specification
    return (height, width, 3), np.dtype(np.uint16 if deep else np.uint8)


def _stated_by_tiff(content: bytes) -> tuple[tuple[int, int, int], np.dtype[Any]]:
    from tifffile import TiffFile

    try:
        with TiffFile(BytesIO(content)) as file:
            page, several = file.pages.first, _has_second(file.pages)
            height, width = int(page.imagelength), int(page.imagewidth)
    except Exception as error:  # a damaged file makes tifffile stumble in any way there is
        raise CaseError(_NO_PICTURE) from error
    if several:
        raise CaseError("holds several pages, expected one; save them apart, or as one volume in .nii.gz")
    return (height, width, 3), page.dtype or np.dtype(np.float64)


def _has_second(pages: TiffPages) -> bool:
    try:
        pages.get(1)
    except IndexError:
        return False
    return True
