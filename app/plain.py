"""Words of others, such as names of files, made fit for a terminal and a table."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """The text in one line, with what moves a cursor, turns the direction or is no character as an escape: \\x1b."""
    return "".join(c.encode("unicode_escape").decode() if _moves(c) else c for c in text)


def _moves(character: str) -> bool:
    category = unicodedata.category(character)
    return category.startswith("C") or category in {"Zl", "Zp"}
