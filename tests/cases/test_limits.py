"""What is too large is refused by its header: small files that would become large ones take neither time nor memory."""

from __future__ import annotations

import gzip
import os
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest

from app.cases.formats import kind_of
from app.cases.given_boxes import boxes_from_options
from app.cases.limits import Limits
from app.cases.open_case import Request, open_case
from app.errors import CaseError
from tests.conftest import two_squares
from tests.dicom_files import write_picture, write_series
from tests.orientations import AFFINE

LIMITS = Limits(decompressed=8_000_000, side=2000, slices=10, objects=5)
MANY = 32_000_000  # bytes, of what must never be in memory
REQUEST = Request(boxes=boxes_from_options(["5,5,25,25"]), limits=LIMITS)


def array_header(shape: str, kind: str = "|u1", version: int = 1, stated: int | None = None) -> bytes:
    """An .npy without its data; stated: the length of its text where that is a lie."""
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY" + struct.pack("<BBH" if version == 1 else "<BBI", version, 0, stated or len(text)) + text


def npz(path: Path, imgs: bytes, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("imgs.npy", imgs)
    return path


def understated(path: Path) -> Path:
    """An archive whose directories state 1000 bytes where its stream holds many."""
    npz(path, array_header("(1000,)") + bytes(MANY))
    content, size = path.read_bytes(), struct.pack("<I", len(array_header("(1000,)")) + MANY)
    assert content.count(size) == 2
    path.write_bytes(content.replace(size, struct.pack("<I", 1000)))
    return path


def nifti(path: Path, end: bytes = b"", **fields: object) -> Path:
    """A small volume in gzip with fields of its header replaced, and bytes after its end."""
    image = nibabel.Nifti1Image(np.zeros((6, 5, 4), np.int16), AFFINE)
    for key, value in fields.items():
        image.header[key] = value
    path.write_bytes(gzip.compress(image.header.binaryblock + bytes(4 + 2 * 6 * 5 * 4) + end, 1))
    return path


def png(path: Path, width: int, height: int) -> Path:
    """A picture whose header states another size."""
    content = bytearray(cv2.imencode(".png", two_squares())[1].tobytes())
    content[16:24] = struct.pack(">II", width, height)
    path.write_bytes(content)
    return path


def tiff(path: Path, width: int, height: int) -> Path:
    """A picture of 4 bytes a value whose header states another size."""
    content = cv2.imencode(".tif", two_squares()[..., 0].astype(np.float32))[1].tobytes()
    for tag, stored, other in ((256, 64, width), (257, 48, height)):
        entry = struct.pack("<HHI", tag, 3, 1) + struct.pack("<I", stored)
        assert content.count(entry) == 1
        content = content.replace(entry, struct.pack("<HHI", tag, 4, 1) + struct.pack("<I", other))
    path.write_bytes(content)
    return path


def deflated_dicom(path: Path) -> Path:
    """A DICOM file that is many bytes of one private attribute, deflated."""
    plain = write_picture(path, two_squares()[..., 0]).read_bytes()
    start = 144 + struct.unpack("<I", plain[140:144])[0]
    meta = plain[132:start].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    meta = meta.replace(b"UI\x14\0" + b"1.2.840.10008.1.2.1.99", b"UI\x16\0" + b"1.2.840.10008.1.2.1.99")
    meta = meta[:8] + struct.pack("<I", len(meta) - 12) + meta[12:]
    attribute = struct.pack("<HH2sHI", 9, 0x1000, b"OB", 0, MANY) + bytes(MANY)
    packer = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
    path.write_bytes(plain[:132] + meta + packer.compress(attribute) + packer.flush())
    return path


def film_of_letters(path: Path) -> Path:
    content = write_picture(path, two_squares()[..., 0], NumberOfFrames=1000).read_bytes()
    assert content.count(b"IS\x04\x001000") == 1
    path.write_bytes(content.replace(b"IS\x04\x001000", b"IS\x04\x00abcd"))
    return path


TOO_LARGE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "an array of 100 GB": (lambda p: npz(p / "a.npz", array_header("(100, 1000, 1000000)")), "raise --max-side"),
    "an array of 12 MB": (
        lambda p: npz(p / "a.npz", array_header("(3, 2000, 2000)")),
        r"shape \(3, 2000, 2000\), uint8, of 12 MB, expected at most 8 MB; .* raise --max-decompressed",
    ),
    "a side below 0": (lambda p: npz(p / "a.npz", array_header("(-3, 20)")), "is damaged"),
    "a zip bomb": (lambda p: npz(p / "a.npz", array_header("(8,)") + bytes(MANY)), "holds arrays of 32 MB"),
    "a zip bomb that says it is none": (lambda p: understated(p / "a.npz"), "damaged or cut short"),
    "a zip bomb of bzip2": (
        lambda p: npz(p / "a.npz", array_header("(1000,)") + bytes(1000), zipfile.ZIP_BZIP2),
        "compressed in another way",
    ),
    "a header of 4 GB": (
        lambda p: npz(p / "a.npz", array_header("(8,)", version=2, stated=2**32 - 9)),
        "imgs is no NumPy array",
    ),
    "a header that is deep": (lambda p: npz(p / "a.npz", array_header("(" * 2000)), "imgs is no NumPy array"),
    "a wide picture": (lambda p: png(p / "a.png", 2**31 - 1, 1), "raise --max-side"),
    "a large picture": (lambda p: png(p / "a.png", 2000, 2000), "raise --max-decompressed"),
    "a wide picture in TIFF": (lambda p: tiff(p / "a.tif", 1, 2**31 - 1), "raise --max-side"),
    "a large picture in TIFF": (lambda p: tiff(p / "a.tif", 1000, 1000), r"\(1000, 1000, 3\), float32, of 12 MB"),
    "a large volume": (lambda p: nifti(p / "a.nii.gz", dim=[3, 2000, 2000, 10, 1, 1, 1, 1]), "of 160 MB"),
    "a negative volume": (lambda p: nifti(p / "a.nii.gz", dim=[3, -6, -5, 4, 1, 1, 1, 1]), "is damaged"),
    "a volume with an endless end": (lambda p: nifti(p / "a.nii.gz", bytes(MANY)), "goes on far beyond"),
    "a volume with an endless beginning": (lambda p: nifti(p / "a.nii.gz", vox_offset=2e9), "begin at byte 2000000000"),
    "a volume of many slices": (lambda p: nifti(p / "a.nii.gz", dim=[3, 2, 1, 11, 1, 1, 1, 1]), "raise --max-slices"),
    "a film of many frames": (
        lambda p: write_picture(p / "a.dcm", two_squares()[..., 0], NumberOfFrames=2**31 - 1),
        "has 2147483647 slices",
    ),
    "a film of no number of frames": (lambda p: film_of_letters(p / "a.dcm"), "is damaged or cut short .*'abcd'"),
    "a film of less than none": (
        lambda p: write_picture(p / "a.dcm", two_squares()[..., 0], NumberOfFrames=-3),
        "has -3 slices, expected 1 to 10",
    ),
    "a large film": (lambda p: write_picture(p / "a.dcm", two_squares()[..., 0], Rows=65535), "raise --max-side"),
    "a series of many files": (
        lambda p: write_series(p / "a", np.zeros((11, 2, 3), np.int16))[0].parent,
        "has 11 slices, expected 1 to 10",
    ),
    "a deflated bomb": (lambda p: deflated_dicom(p / "a.dcm"), "is a deflated file of 8.39 MB"),
    "a large file": (lambda p: npz(p / "a.npz", os.urandom(9_000_000)), "is a file of 9 MB"),
}


@pytest.mark.parametrize("what", TOO_LARGE)
def test_what_is_too_large_is_refused_before_memory_is_taken(what: str, tmp_path: Path) -> None:
    make, message = TOO_LARGE[what]
    path = make(tmp_path)
    kind = kind_of(path)
    assert kind is not None
    kind.load()
    tracemalloc.start()
    try:
        with pytest.raises(CaseError, match=message) as caught:
            open_case(path, REQUEST)
        assert str(caught.value).startswith(f"{path.name}: ")
        assert tracemalloc.get_traced_memory()[1] < MANY / 2
    finally:
        tracemalloc.stop()


def test_the_defaults_admit_what_people_have() -> None:
    limits = Limits()
    limits.admit((600, 512, 512), np.dtype(np.float32))
    limits.admit((1920, 2560, 3), np.dtype(np.uint8))
    limits.admit((20_000, 20_000, 3), np.dtype(np.uint8))
    limits.admit((2000, 512, 512), np.dtype(np.float32))
    limits.admit_slices(2000)
    limits.admit_objects(241)
    with pytest.raises(CaseError, match="raise --max-decompressed"):
        limits.admit((30_000, 30_000, 3), np.dtype(np.uint16))
