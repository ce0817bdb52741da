"""OpenCV's decoder, kept from printing and from taking memory on a file's word."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from ..arrays import AnyArray

_PNG, _LAST_CHUNK = b"\x89PNG\r\n\x1a\n", b"IEND"
_AROUND_A_CHUNK = 12  # bytes: its length, its name and its checksum
_STANDARD_ERROR = 2


def decode(content: bytes, how: int) -> AnyArray | None:
    """The picture in the bytes of a file, by flags of `cv2.imdecode`; None where there is none. Raises cv2.error."""
    if not content or (content.startswith(_PNG) and not _chunks_are_whole(content)):
        return None
    with _silence():
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), how)
    return None if decoded is None else np.asarray(decoded)


def _chunks_are_whole(content: bytes) -> bool:
    """Whether each chunk of a PNG has its bytes; OpenCV 4.12 takes as much memory as one states, up to 4 GB."""
    start, name = len(_PNG), b""
    while start < len(content) and name != _LAST_CHUNK:
        name = content[start + 4 : start + 8]
        start += int.from_bytes(content[start : start + 4], "big") + _AROUND_A_CHUNK
    return start <= len(content)


@contextmanager
def _silence() -> Iterator[None]:
    """Lead standard error of the process to nowhere: "libpng warning" and the like come past Python and any setting."""
    try:
        kept = os.dup(_STANDARD_ERROR)
    except OSError:  # it is closed, so nothing is heard anyway
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), _STANDARD_ERROR)
        yield
    finally:
        os.dup2(kept, _STANDARD_ERROR)
        os.close(kept)
