"""Random numbers on the device of their generator."""

from __future__ import annotations

import torch
from torch import Tensor


def uniform(low: float, high: float, generator: torch.Generator, *shape: int) -> Tensor:
    """Uniform in low..high."""
    return low + (high - low) * torch.rand(*shape, generator=generator, device=generator.device)


def chance(probability: float, generator: torch.Generator, count: int) -> Tensor:
    """(count,) bool, each True with the probability given."""
    return torch.rand(count, generator=generator, device=generator.device) < probability
