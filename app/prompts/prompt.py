"""What a network is told about one object, and how it is made from the object's box."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..frame import SIDE
from .points import draw_points
from .rules import PromptStyle
from .scribble import draw_scribble
from .seeds import prompt_generator

PROPAGATION_MARGIN = 3  # frame pixels (published inference script)


@dataclass(frozen=True)
class Prompt:
    """One object on one slice (0 for a picture), in the frame's pixels.

    box: (4,) int64. points: (4, 2) float32 as (x, y), or None. scribble: (256, 256) bool, or None.
    """

    label: int
    slice_index: int
    box: IntArray
    points: FloatArray | None = None
    scribble: BoolArray | None = None


@dataclass(frozen=True)
class PromptMaker:
    """Adds to the boxes of one case what a network reads beside them."""

    case: str
    style: PromptStyle

    def complete(self, prompt: Prompt, allowed: BoolArray) -> Prompt:
        """A prompt of a box alone with its points and scribble, on pixels that are allowed (256, 256)."""
        if self.style.parts == "box":
            return prompt
        rng = prompt_generator(self.style.seed, self.case, prompt.label, prompt.slice_index)
        points = draw_points(prompt.box, allowed, self.style.rule, rng)
        if self.style.parts == "points":
            return replace(prompt, points=points)
        return replace(prompt, points=points, scribble=draw_scribble(prompt.box, allowed, self.style.rule, rng))


def box_around(mask: BoolArray) -> IntArray | None:
    """Box for the next slice of a volume: extent of a (256, 256) mask widened by 3; None for an empty mask.

    The upper ends may reach 256, not 255, as published.
    """
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return None
    low = [max(int(axis[0]) - PROPAGATION_MARGIN, 0) for axis in (columns, rows)]
    high = [min(int(axis[-1]) + PROPAGATION_MARGIN, SIDE) for axis in (columns, rows)]
    return np.array(low + high, np.int64)
