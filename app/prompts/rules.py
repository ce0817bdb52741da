"""What a prompt is made of, and how far inside a box its points and scribble keep from the border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:  # the command line reads the choices below before it loads anything heavy
    import numpy as np

# The ranges of the published code, or the paper's.
PromptRule = Literal["code", "paper"]
# The box alone, with four points, or with points and a scribble.
PromptParts = Literal["box", "points", "scribble"]
# What points and scribble are drawn on: the image's visible pixels, or those of them that a first prediction
# from the box alone holds (paper section 4, left as a wish there).
Guide = Literal["image", "prediction"]
PROMPT_RULES: tuple[PromptRule, ...] = get_args(PromptRule)
PROMPT_PARTS: tuple[PromptParts, ...] = get_args(PromptParts)
GUIDES: tuple[Guide, ...] = get_args(Guide)


@dataclass(frozen=True)
class PromptStyle:
    """How prompts are made from boxes; `seed` is that of points and scribbles (42: published inference script)."""

    seed: int = 42
    rule: PromptRule = "code"
    parts: PromptParts = "scribble"
    guide: Guide = "image"

    @property
    def whole(self) -> bool:
        """Whether every prompt that is decoded has points and a scribble."""
        return self.parts == "scribble" and self.guide == "image"


def point_shift(side: int, rule: PromptRule, rng: np.random.Generator) -> int:
    """Pixels by which each end of a box side is moved inward before points are drawn."""
    if rule == "paper":  # paper section 2.2: uniform in (w/5, 2w/5)
        return int(rng.uniform(side / 5, 2 * side / 5))
    return _integer_or_zero(side // 5, side // 2 - 2, rng)


def scribble_shift(side: int, rule: PromptRule, rng: np.random.Generator) -> int:
    """The same for the region that a scribble may cover."""
    if rule == "paper":  # paper section 2.2: uniform in (w/8, w/6)
        return int(rng.uniform(side / 8, side / 6))
    return _integer_or_zero(side // 8, side // 6 - 1, rng)


def _integer_or_zero(low: int, high: int, rng: np.random.Generator) -> int:
    """Uniform in low..high, both included; 0 where that range is empty (published inference script)."""
    return int(rng.integers(low, high + 1)) if low <= high else 0
