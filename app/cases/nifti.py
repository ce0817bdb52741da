"""NIfTI, `.nii` and `.nii.gz` (`Format`); nibabel's (i, j, k) arrays are turned round into (k, j, i)."""

from __future__ import annotations

import gzip
import logging
import warnings
import zlib
from collections.abc import Sequence
from io import BufferedIOBase
from pathlib import Path
from typing import cast

import numpy as np
from nibabel.arrayproxy import ArrayProxy
from nibabel.filebasedimages import ImageFileError
from nibabel.imageglobals import logger as nibabel_logger
from nibabel.nifti1 import Nifti1Header, Nifti1Image
from nibabel.nifti2 import Nifti2Image
from nibabel.spatialimages import HeaderDataError

from ..arrays import AnyArray, LabelArray
from ..errors import CaseError
from .atomic import write_atomically
from .geometry import VolumeGeometry
from .limits import DEFAULT_LIMITS, Limits
from .scan import Scan, Structure

_MM_OF_UNIT = {"meter": 1000.0, "micron": 0.001}
_LEVEL = 3  # of gzip; more is slow and makes label maps little smaller
_BLOCK = 1 << 20
_LONGEST_EXTENSIONS = 1 << 24  # bytes

nibabel_logger.setLevel(logging.CRITICAL)  # it prints remarks on headers; what matters is raised as well


def read(path: Path, limits: Limits = DEFAULT_LIMITS) -> Scan:
    """One volume, 3D or 4D with a single one in it, grey or RGB, scl_slope and scl_inter applied (`Format`)."""
    limits.admit_file(path)
    with path.open("rb") as file, np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's on numbers that are none, nibabel's on extensions of an odd size
        try:
            image, values = _read(cast(BufferedIOBase, gzip.GzipFile(fileobj=file) if _packed(path) else file), limits)
            geometry, notes = _geometry(image, values.shape[:3])
        except (ImageFileError, HeaderDataError, EOFError, OSError, KeyError, ValueError, zlib.error) as error:
            raise CaseError("is no readable NIfTI file; it is damaged, cut short or of another kind") from error
    return Scan(path.name, values, geometry, source=image, notes=notes)


def read_labels(path: Path, limits: Limits = DEFAULT_LIMITS) -> Scan:
    """The same (`Format`); labels may have any number type."""
    return read(path, limits)


def write(path: Path, labels: LabelArray, scan: Scan, structures: Sequence[Structure]) -> None:  # noqa: ARG001
    """The labels under the header of the image: same shape and affine with their codes, their own number type."""
    source = cast(Nifti1Image, scan.source)
    header = source.header.copy()
    header.set_data_dtype(labels.dtype)
    header.set_slope_inter(1, 0)
    header.set_intent("label")
    header["cal_min"] = header["cal_max"] = 0
    image = type(source)(labels.T.reshape(source.shape), source.affine, header)
    with write_atomically(path) as file:
        if _packed(path):
            with gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as packed:
                image.to_stream(packed)
        else:
            image.to_stream(cast(BufferedIOBase, file))


def _packed(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _read(file: BufferedIOBase, limits: Limits) -> tuple[Nifti1Image, AnyArray]:
    """Image and values, (k, j, i) or (k, j, i, 3), with the file read to its end, where gzip has its checksum."""
    start = file.read(_BLOCK)
    file.seek(0)
    kinds = [kind for kind in (Nifti1Image, Nifti2Image) if kind.header_class.may_contain_header(start)]
    if not kinds:
        raise ImageFileError
    _admit(kinds[0].header_class(start[: kinds[0].header_class.sizeof_hdr], check=False), limits)
    image = kinds[0].from_stream(file)
    values = _values(image)
    if file.read(_BLOCK) and file.read(1):
        raise CaseError("goes on far beyond what its header states; it is damaged")
    return image, values


def _admit(header: Nifti1Header, limits: Limits) -> None:
    """What comes before the voxels is small, and the voxels, as float32 where they are scaled, are admitted."""
    if header["vox_offset"] > _LONGEST_EXTENSIONS:
        raise CaseError(f"states that its voxels begin at byte {header['vox_offset']:.0f}; it is damaged")
    stored = header.get_data_dtype()
    limits.admit(header.get_data_shape(), max(stored, np.dtype(np.float32), key=lambda kind: kind.itemsize))


def _values(image: Nifti1Image) -> AnyArray:
    """(k, j, i) or (k, j, i, 3); whole numbers stay what they are if the header does not scale them."""
    volumes = int(np.prod(image.shape[3:], dtype=np.int64))
    if volumes != 1 or 0 in image.shape:
        raise CaseError(f"has shape {image.shape}, which is {volumes} volumes; expected one, save them apart")
    stored = cast(ArrayProxy, image.dataobj)
    scaled = (stored.slope, stored.inter) != (1, 0) and not stored.dtype.names  # colours never are
    data: AnyArray = np.asanyarray(stored, np.float32) if scaled else stored.get_unscaled()
    data = data.reshape((*image.shape, 1, 1)[:3])
    if data.dtype.names:
        return np.stack([data[channel].T for channel in data.dtype.names], axis=-1)
    return data.T


def _geometry(image: Nifti1Image, shape: tuple[int, ...]) -> tuple[VolumeGeometry, tuple[str, ...]]:
    header = image.header
    unit = _MM_OF_UNIT.get(header.get_xyzt_units()[0], 1.0)
    if header["sform_code"] or header["qform_code"]:
        return VolumeGeometry.from_affine(shape, np.diag([unit, unit, unit, 1]) @ image.affine), ()
    x, y, z = (unit * float(size) for size in (*header.get_zooms(), 1.0, 1.0)[:3])
    note = (
        "has neither sform nor qform, so how it lies in the patient is not known; "
        "taken as stored from right to left, front to back, feet to head"
    )
    return VolumeGeometry.as_stored(shape, (z, y, x) if min(x, y, z) > 0 else None), (note,)
