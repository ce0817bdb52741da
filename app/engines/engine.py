"""What computes: the one interface between segmentation and a network, whatever runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..arrays import FloatArray
from ..prompts.prompt import Prompt
from ..prompts.window import Windows


@dataclass(frozen=True)
class ImageFeatures:
    """What decoding needs of one frame; `maps` belongs to the engine that made it."""

    maps: Any
    nbytes: int


@dataclass(frozen=True)
class Decoded:
    """logits (N, 256, 256) float32, positive inside the mask; iou (N,) float32, the network's own estimate."""

    logits: FloatArray
    iou: FloatArray


@dataclass(frozen=True)
class EngineInfo:
    """For the run report: which model computes, and how."""

    model: str
    architecture: str
    weights_file: str
    weights_sha256: str
    engine: str
    precision: str
    threads: int


class Engine(Protocol):
    """Encodes a frame once and decodes prompts on it many times."""

    @property
    def info(self) -> EngineInfo: ...

    @property
    def reads_points_and_scribble(self) -> bool:
        """Whether prompts need more than their box."""
        ...

    def encode(self, frames: FloatArray) -> list[ImageFeatures]:
        """(B, 3, 256, 256) float32 in [0, 1] to the features of each frame."""
        ...

    def decode(self, features: ImageFeatures, prompts: Sequence[Prompt], windows: Windows) -> Decoded:
        """At least one prompt, all on the same frame, decoded as one batch, each inside its window."""
        ...
