"""Prompts on one encoded picture or slice, to masks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from ..arrays import FloatArray
from ..engines.engine import Engine
from ..frame import Geometry, PlacedMask
from ..prompts.prompt import Prompt, PromptMaker
from ..prompts.window import windows_around
from .clock import StageClock
from .slice_cache import EncodedSlice

MARGIN = 0.2  # of a box's longer side, around it: how far its mask may reach beyond

# Told of each prompt before it is decoded; overlays listen here.
PromptListener = Callable[[Prompt], None]


@dataclass(frozen=True)
class SliceDecoder:
    """Decodes boxes of one case, so many in a batch, which bounds the memory of prompts, decoder and masks."""

    engine: Engine
    geometry: Geometry
    maker: PromptMaker
    clock: StageClock
    batch: int
    listener: PromptListener | None = None

    def masks(self, encoded: EncodedSlice, boxes: Iterable[Prompt]) -> Iterator[tuple[Prompt, PlacedMask]]:
        """Yield each prompt, given as its box alone, with its mask, in order.

        Prompts are completed, and masks held, a batch at a time.
        """
        remaining = iter(boxes)
        while batch := list(islice(remaining, self.batch)):
            prompts = self._complete(encoded, batch)
            if self.listener is not None:
                for prompt in prompts:
                    self.listener(prompt)
            for prompt, logits in zip(prompts, self._logits(encoded, prompts), strict=True):
                with self.clock.measure("decode"):
                    mask = self.geometry.logits_to_mask(logits)
                yield prompt, mask

    def _complete(self, encoded: EncodedSlice, boxes: list[Prompt]) -> list[Prompt]:
        allowed = [encoded.visible] * len(boxes)
        if self.maker.style.guide == "prediction":
            first = self._logits(encoded, boxes) > 0
            allowed = [found if found.any() else encoded.visible for found in first & encoded.visible]
        with self.clock.measure("prompt"):
            return [self.maker.complete(box, where) for box, where in zip(boxes, allowed, strict=True)]

    def _logits(self, encoded: EncodedSlice, prompts: list[Prompt]) -> FloatArray:
        with self.clock.measure("decode"):
            return self.engine.decode(encoded.features, prompts, windows_around(prompts, MARGIN)).logits
