"""What the challenge's file names say: dimension, modality and number, as in 3DBox_PET_0001."""

from __future__ import annotations


def modality_in_name(name: str) -> str | None:
    """The second of a name's three or more parts; None where it has fewer."""
    parts = name.split("_")
    return parts[1] if len(parts) > 2 else None
