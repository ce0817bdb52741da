"""Engines that need no weights: they see a frame and obey a box."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from app.arrays import FloatArray
from app.engines.engine import Decoded, EngineInfo, ImageFeatures
from app.prompts.prompt import Prompt
from app.prompts.rules import PromptStyle
from app.prompts.window import Windows
from app.segment.segmenter import Segmenter


class ThresholdEngine:
    """Its mask is what is bright inside the box; it counts what it is asked and notes every prompt."""

    reads_points_and_scribble = True
    feature_bytes = 1 << 20
    info = EngineInfo("fake", "fake", "none", "0" * 64, "threshold", "float32", 1)

    def __init__(self) -> None:
        self.encoded = 0
        self.prompts: list[Prompt] = []

    def encode(self, frames: FloatArray) -> list[ImageFeatures]:
        self.encoded += len(frames)
        return [ImageFeatures(frame[0].copy(), self.feature_bytes) for frame in frames]

    def decode(self, features: ImageFeatures, prompts: Sequence[Prompt], windows: Windows) -> Decoded:
        self.prompts += prompts
        logits = np.full((len(prompts), 256, 256), -1.0, np.float32)
        for out, prompt in zip(logits, prompts, strict=True):
            x0, y0, x1, y1 = prompt.box.tolist()
            inside = features.maps[y0 : y1 + 1, x0 : x1 + 1]
            out[y0 : y1 + 1, x0 : x1 + 1] = np.where(inside > 0.5, 1.0, -1.0)
        return Decoded(logits, np.ones(len(prompts), np.float32))


class SlowEngine(ThresholdEngine):
    """Takes SECONDS_A_SLICE of the environment to encode one, and tells before on stdout which process does it."""

    def encode(self, frames: FloatArray) -> list[ImageFeatures]:
        sys.stdout.write(f"{os.getpid()}\n")
        sys.stdout.flush()
        time.sleep(float(os.environ["SECONDS_A_SLICE"]))
        return super().encode(frames)


def load_slow(model: str | None, *, style: PromptStyle, **_: Any) -> Segmenter:
    """In place of `load_segmenter`, in worker processes too."""
    return Segmenter(SlowEngine(), style)
