"""JSON and CSV that people write: of a size that can be, and nested no deeper than Python follows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .limits import size_in_words

_LARGEST = 32_000_000  # bytes; a hundred thousand boxes and more, and JSON takes twenty times as much memory


def read_text(path: Path) -> str:
    """UTF-8, with or without a byte order mark. Raises OSError, and ValueError for what is no such file."""
    if (size := path.stat().st_size) > _LARGEST:
        raise ValueError(f"{size_in_words(size)}, expected at most {size_in_words(_LARGEST)}")
    if not path.is_file():
        raise ValueError("no regular file")
    return path.read_text(encoding="utf-8-sig")


def read_json(path: Path) -> Any:
    """Whatever it holds. Raises OSError, and ValueError for what is no JSON."""
    try:
        return json.loads(read_text(path))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
