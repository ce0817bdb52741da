"""A picture: encoded once, segmented box by box."""

from __future__ import annotations

import numpy as np

from ..arrays import BoolArray, ByteArray, IntArray, LabelArray
from ..cases.case import empty_labels
from ..engines.engine import Engine
from ..frame import make_frame
from ..prompts.prompt import PromptMaker
from .clock import StageClock
from .slice_decoding import PromptListener, decode_masks


class EncodedImage:
    """A picture (H, W) or (H, W, 3) uint8 whose features are computed once, here."""

    def __init__(self, image: ByteArray, engine: Engine, clock: StageClock) -> None:
        self._engine = engine
        self._shape = image.shape[:2]
        with clock.measure("encode"):
            self._frame = make_frame(image)
            [self._features] = engine.encode(self._frame.pixels[None])

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
        geometry = self._frame.geometry
        prompts = (
            maker.make(int(i) + 1, 0, geometry.box_to_frame(boxes[i]), self._frame.visible)
            for i in np.flatnonzero(inside)
        )
        for prompt, mask in decode_masks(self._engine, self._features, prompts, geometry, clock, listener):
            labels[mask] = prompt.label
        return labels
