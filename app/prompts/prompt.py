"""What a network is told about one object, and how it is made from the object's box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..frame import SIDE
from .points import draw_points
from .rules import PromptRule
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
    """Makes the prompts of one case. Without `points_and_scribble` a prompt is its box alone."""

    case: str
    points_and_scribble: bool
    seed: int = 42
    rule: PromptRule = "code"

    def make(self, label: int, slice_index: int, box: IntArray, visible: BoolArray) -> Prompt:
        """The prompt of object `label` for a box (4,) on a slice of which `visible` (256, 256) may be pointed at."""
        if not self.points_and_scribble:
            return Prompt(label, slice_index, box)
        rng = prompt_generator(self.seed, self.case, label, slice_index)
        points = draw_points(box, visible, self.rule, rng)
        return Prompt(label, slice_index, box, points, draw_scribble(box, visible, self.rule, rng))


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
