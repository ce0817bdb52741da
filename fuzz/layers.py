"""From a fuzzer's bytes to a file whose checksums are right, so that what lies behind them is reached."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

Layer = Callable[[bytes, Path], Path]
"""Writes bytes into an empty folder, and gives the file or folder that is to be read."""

_NPY, _DICM, _PNG = b"\x93NUMPY", b"DICM", b"\x89PNG\r\n\x1a\n"
_BLOCK = 512  # of a tar archive
_CHECKSUM = slice(148, 156)  # in a member's header


def as_file(name: str) -> Layer:
    """The bytes themselves."""
    return lambda data, folder: _written(folder / name, data)


def as_npz(*names: str) -> Layer:
    """Bytes of several `.npy` in a row, packed under these names."""

    def place(data: bytes, folder: Path) -> Path:
        arrays = zip(names, _split(data, _NPY), strict=False)
        return _zipped(folder / "case.npz", {f"{name}.npy": content for name, content in arrays})

    return place


def as_torch_archive(data: bytes, folder: Path) -> Path:
    """The pickle of a `.pth`, which has two storages of zero bytes."""
    parts = {"data.pkl": data, "byteorder": b"little", "data/0": bytes(1024), "data/1": bytes(1024), "version": b"3\n"}
    return _zipped(folder / "checkpoint.pth", {f"archive/{name}": content for name, content in parts.items()})


def as_series(data: bytes, folder: Path) -> Path:
    """DICOM files in a row as the files of a folder; empty preambles in the place of their own."""
    series = folder / "series"
    series.mkdir()
    for number, content in enumerate(_split(data, _DICM)):
        _written(series / f"{number}.dcm", bytes(128) + content)
    return series


def as_sealed_png(data: bytes, folder: Path) -> Path:
    """A PNG, each chunk under its own checksum."""
    return _written(folder / "case.png", sealed_png(data))


def as_sealed_shard(data: bytes, folder: Path) -> Path:
    """A tar shard, each header under its own checksum."""
    return _written(folder / "US.tar", sealed_tar(data))


def sealed_png(data: bytes) -> bytes:
    """Checksums of the chunks as they should be; what is no PNG stays what it is."""
    if not data.startswith(_PNG):
        return data
    sealed, start = bytearray(data), len(_PNG)
    while start + 12 <= len(sealed):
        end = start + 8 + struct.unpack_from(">I", sealed, start)[0]
        if end + 4 > len(sealed):
            break
        struct.pack_into(">I", sealed, end, zlib.crc32(sealed[start + 4 : end]))
        start = end + 4
    return bytes(sealed)


def sealed_tar(data: bytes) -> bytes:
    """Checksums of the members' headers as they should be, wherever a block looks like one."""
    sealed = bytearray(data)
    for start in range(0, len(sealed) - _BLOCK + 1, _BLOCK):
        header = sealed[start : start + _BLOCK]
        if header[257:262] == b"ustar":
            header[_CHECKSUM] = b" " * 8
            header[_CHECKSUM] = b"%06o\0 " % sum(header)
            sealed[start : start + _BLOCK] = header
    return bytes(sealed)


def _split(data: bytes, mark: bytes) -> list[bytes]:
    """Pieces that begin with a mark."""
    return [mark + piece for piece in data.split(mark)[1:]]


def _zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
