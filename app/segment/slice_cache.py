"""Encoded slices of a volume, kept while they are useful and memory allows."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass

from ..arrays import BoolArray
from ..engines.engine import ImageFeatures


@dataclass(frozen=True)
class EncodedSlice:
    """Features of a picture or slice, and which of its frame's pixels (256, 256) a prompt may point at."""

    features: ImageFeatures
    visible: BoolArray

    @property
    def nbytes(self) -> int:
        return self.features.nbytes + self.visible.nbytes


# Along which view of a volume, and its number there.
SliceKey = tuple[str, int]


class SliceCache:
    """Holds at most `budget` bytes; a slice that the running sweep returns to gives way to nothing else."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._held: dict[SliceKey, EncodedSlice] = {}
        self._bytes = 0

    def get(self, key: SliceKey, encode: Callable[[], EncodedSlice], returning: Set[SliceKey]) -> EncodedSlice:
        """A slice, encoded now unless it is held; `returning` are the slices that the sweep visits again."""
        encoded = self._held.get(key)
        if encoded is None:
            encoded = encode()
            self._keep(key, encoded, returning)
        return encoded

    def _keep(self, key: SliceKey, encoded: EncodedSlice, returning: Set[SliceKey]) -> None:
        idle = [held for held in self._held if held not in returning]
        while self._bytes + encoded.nbytes > self._budget:
            if not idle:
                return
            self._bytes -= self._held.pop(idle.pop(0)).nbytes
        self._held[key] = encoded
        self._bytes += encoded.nbytes
