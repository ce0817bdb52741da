"""A picture: encoded once, segmented box by box."""

from __future__ import annotations

import numpy as np

from ..arrays import BoolArray, ByteArray, IntArray, LabelArray
from ..cases.case import empty_labels
from ..engines.engine import Engine
from ..frame import make_frame
from ..prompts.prompt import Prompt, PromptMaker
from .clock import StageClock
from .slice_cache import EncodedSlice
from .slice_decoding import PromptListener, SliceDecoder


class EncodedImage:
    """A picture (H, W) or (H, W, 3) uint8 whose features are computed once, here. batch: of prompts."""

    def __init__(self, image: ByteArray, engine: Engine, clock: StageClock, batch: int) -> None:
        self._engine = engine
        self._batch = batch
        self._shape = image.shape[:2]
        with clock.measure("encode"):
            frame = make_frame(image)
            [features] = engine.encode(frame.pixels[None])
        self._geometry = frame.geometry
        self._encoded = EncodedSlice(features, frame.visible)

    def segment(
        self,
        boxes: IntArray,
        inside: BoolArray,
        maker: PromptMaker,
        clock: StageClock,
        listener: PromptListener | None = None,
    ) -> LabelArray:
        """Label map (H, W): k where box k (N, 4) found its object, a later object over an earlier one."""
        labels = empty_labels(self._shape, len(boxes))
        decoder = SliceDecoder(self._engine, self._geometry, maker, clock, self._batch, listener)
        in_frame = (Prompt(int(i) + 1, 0, self._geometry.box_to_frame(boxes[i])) for i in np.flatnonzero(inside))
        for prompt, mask in decoder.masks(self._encoded, in_frame):
            mask.paint(labels, prompt.label)
        return labels
