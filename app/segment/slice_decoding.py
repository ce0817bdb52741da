"""Prompts on one encoded picture or slice, to masks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from ..arrays import BoolArray
from ..engines.engine import Engine, ImageFeatures
from ..frame import Geometry
from ..prompts.prompt import Prompt
from .clock import StageClock

# Bounds the decoder's memory; a prompt costs the same alone or in a batch.
PROMPTS_PER_BATCH = 8

# Told of each prompt before it is decoded, with its slice (0 for a picture); overlays listen here.
PromptListener = Callable[[int, Prompt], None]


def decode_masks(
    engine: Engine, features: ImageFeatures, prompts: Sequence[Prompt], geometry: Geometry, clock: StageClock
) -> Iterator[tuple[int, BoolArray, float]]:
    """Yield (label, mask (H, W), predicted IoU) in the order of the prompts, holding few masks at a time."""
    for batch in _batches(prompts, PROMPTS_PER_BATCH):
        with clock.measure("decode"):
            decoded = engine.decode(features, batch)
        for prompt, logits, iou in zip(batch, decoded.logits, decoded.iou, strict=True):
            with clock.measure("decode"):
                mask = geometry.logits_to_mask(logits)
            yield prompt.label, mask, float(iou)


def _batches(prompts: Sequence[Prompt], size: int) -> Iterable[Sequence[Prompt]]:
    return (prompts[start : start + size] for start in range(0, len(prompts), size))
