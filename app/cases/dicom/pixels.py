"""DICOM's pixels: decompressed, then turned to values or colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydicom import dcmread
from pydicom.pixels import apply_color_lut, apply_modality_lut, get_decoder, pixel_array
from pydicom.uid import UID

from ...arrays import AnyArray, ByteArray
from ...errors import CaseError
from ..limits import Limits
from .frames import Frame, plainly, stated_shape


def read_values(frames: Sequence[Frame], limits: Limits) -> AnyArray:
    """(D, H, W), or (D, H, W, 3) uint8 in colour, in the order of the frames.

    Grey values are float32, slope and intercept of each frame applied; without any they keep their stored type if all
    frames have the same. Those of MONOCHROME1 are mirrored within the range of their bits, so that larger is brighter.
    Raises CaseError where pixels are missing or damaged, or no decoder for them is installed.
    """
    with plainly(frames[0].name):
        limits.admit((len(frames), *stated_shape(frames[0].header)), np.dtype(np.float32))
    first = _picture(frames[0])
    types = {(frame.header.get("BitsAllocated"), frame.header.get("PixelRepresentation")) for frame in frames}
    as_stored = len(types) == 1 and not any(frame.is_rescaled for frame in frames)
    values = np.empty((len(frames), *first.shape), first.dtype.newbyteorder("=") if as_stored else np.float32)
    values[0] = first
    for i, frame in enumerate(frames[1:], 1):
        values[i] = _picture(frame)
    return values


def _picture(frame: Frame) -> AnyArray:
    """(H, W) values, or (H, W, 3) uint8 colours."""
    with plainly(frame.name):
        stored = _decompressed(frame)
        if stored.ndim == 3:
            return _to_bytes(stored, frame.header.BitsStored)
        if frame.header.PhotometricInterpretation == "PALETTE COLOR":
            colours = apply_color_lut(stored, frame.header)
            return _to_bytes(colours, 8 * colours.itemsize)
        return _to_values(stored, frame)


def _decompressed(frame: Frame) -> AnyArray:
    """(H, W) or (H, W, 3) as stored, YBR turned to RGB."""
    syntax = frame.header.file_meta.TransferSyntaxUID
    if syntax.is_compressed:
        _require_decoder(syntax)
    # pydicom does not find the pixels of a deflated file by its path
    source = dcmread(frame.path) if syntax.is_deflated else frame.path
    try:
        return pixel_array(source, index=frame.index)
    except RuntimeError as error:  # every decoder that pydicom tried gave up
        raise CaseError(
            f"is compressed as {syntax.name}, in a way that no installed decoder takes, or damaged; "
            "decompress it first, as dcmdjpeg of DCMTK does, or copy it again"
        ) from error


def _require_decoder(syntax: UID) -> None:
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise CaseError(f"is compressed as {syntax.name}, for which there is no decoder; save its pictures") from error
    if not decoder.is_available:
        by_gdcm = any(text.startswith("gdcm") for text in decoder.missing_dependencies)
        packages = "python-gdcm" if by_gdcm else "pylibjpeg pylibjpeg-openjpeg"
        raise CaseError(f"is compressed as {syntax.name}, which needs a decoder: pip install {packages}")


def _to_bytes(colours: AnyArray, bits: int) -> ByteArray:
    """Colours of 8 bits or more to uint8, by their highest bits."""
    return (colours >> max(bits - 8, 0)).astype(np.uint8)


def _to_values(stored: AnyArray, frame: Frame) -> AnyArray:
    header, bits = frame.header, int(frame.header.get("BitsStored", 0))
    if "ModalityLUTSequence" in header:
        stored, bits = apply_modality_lut(stored, header), int(header.ModalityLUTSequence[0].LUTDescriptor[2])
    if header.PhotometricInterpretation == "MONOCHROME1":
        stored = _mirrored(stored, bits)
    return stored * np.float64(frame.slope) + frame.intercept if frame.is_rescaled else stored


def _mirrored(stored: AnyArray, bits: int) -> AnyArray:
    """The darkest of the values that so many bits hold for the brightest, in the type of the array."""
    lowest_and_highest = -1 if stored.dtype.kind == "i" else (1 << bits) - 1  # their sum
    mirrored: AnyArray = stored.dtype.type(lowest_and_highest) - stored
    return mirrored
