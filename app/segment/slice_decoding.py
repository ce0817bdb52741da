"""Prompts on one encoded picture or slice, to masks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from ..arrays import BoolArray
from ..engines.engine import Engine, ImageFeatures
from ..frame import Geometry
from ..prompts.prompt import Prompt
from .clock import StageClock

# Bounds the memory of prompts, decoder and masks; a prompt costs the same alone or in a batch.
PROMPTS_PER_BATCH = 8

# Told of each prompt before it is decoded; overlays listen here.
PromptListener = Callable[[Prompt], None]


def decode_masks(
    engine: Engine,
    features: ImageFeatures,
    prompts: Iterable[Prompt],
    geometry: Geometry,
    clock: StageClock,
    listener: PromptListener | None,
) -> Iterator[tuple[Prompt, BoolArray]]:
    """Yield each prompt with its mask (H, W), in order; prompts are made and masks are held a batch at a time."""
    remaining = iter(prompts)
    while True:
        with clock.measure("prompt"):
            batch = list(islice(remaining, PROMPTS_PER_BATCH))
        if not batch:
            return
        if listener is not None:
            for prompt in batch:
                listener(prompt)
        with clock.measure("decode"):
            decoded = engine.decode(features, batch)
        for prompt, logits in zip(batch, decoded.logits, strict=True):
            with clock.measure("decode"):
                mask = geometry.logits_to_mask(logits)
            yield prompt, mask
