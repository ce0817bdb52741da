"""Pictures made new, in batches on the device: geometry, aspect ratio, intensity and colour.

The result is what inference makes of a picture: content at the upper left with its longest side 256,
min-max normalised over the content, zero beyond it.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..frame import SIDE
from .draws import chance, uniform


def augment(pixels: Tensor, labels: Tensor, sizes: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """New frames and their label maps.

    pixels (B, 3, 256, 256) uint8, labels (B, 256, 256) int16 and sizes (B, 2), the content's height and width,
    to frames (B, 3, 256, 256) in [0, 1] and labels (B, 256, 256) int16 in the same new places.
    """
    targets = _random_sizes(sizes, generator)
    grid = _sampling_grid(sizes, targets, generator)
    inside = _content(targets, pixels.device)
    pictures = F.grid_sample(pixels.float() / 255, grid, mode="bilinear", align_corners=False)
    moved = F.grid_sample(labels[:, None].float(), grid, mode="nearest", align_corners=False)
    return normalise(_recolour(pictures, generator), inside), (moved * inside)[:, 0].to(labels.dtype)


def plain_frames(pixels: Tensor, sizes: Tensor) -> Tensor:
    """The same without any change: frames as inference has them."""
    return normalise(pixels.float(), _content(sizes, pixels.device))


def normalise(frames: Tensor, inside: Tensor) -> Tensor:
    """Min-max over the content (B, 1, 256, 256) of all channels together; zero beyond it."""
    low = frames.masked_fill(~inside, torch.inf).amin((1, 2, 3), keepdim=True)
    high = frames.masked_fill(~inside, -torch.inf).amax((1, 2, 3), keepdim=True)
    return ((frames - low) / (high - low).clamp(min=1e-8)).masked_fill(~inside, 0)


def _random_sizes(sizes: Tensor, generator: torch.Generator) -> Tensor:
    """Half keep their aspect ratio; the others get any from 1:1 to 1:4, either way."""
    count = len(sizes)
    shorter = SIDE * 4 ** -uniform(0, 1, generator, count)
    full = torch.full_like(shorter, SIDE)
    upright = chance(0.5, generator, count)
    other = torch.stack([torch.where(upright, full, shorter), torch.where(upright, shorter, full)], dim=1).round()
    return torch.where(chance(0.5, generator, count)[:, None], sizes, other)


def _sampling_grid(sizes: Tensor, targets: Tensor, generator: torch.Generator) -> Tensor:
    """Where each pixel comes from (B, 256, 256, 2): rotated, scaled, shifted, flipped about the content's centre."""
    count = len(sizes)
    angle = uniform(-math.pi / 4, math.pi / 4, generator, count) * chance(0.5, generator, count)
    # Source pixels per target pixel: fitted to the target's frame, then from half to one and a half times.
    scale = (sizes / targets).amin(1) * 1.5 ** uniform(-1.7, 1, generator, count)
    flips = 1 - 2 * torch.stack([chance(0.5, generator, count), chance(0.5, generator, count)], dim=1).float()
    shift = torch.stack([uniform(-0.15, 0.15, generator, count) for _ in range(2)], dim=1) * sizes
    cos, sin = (scale * angle.cos())[:, None, None], (scale * angle.sin())[:, None, None]
    steps = torch.arange(SIDE, device=sizes.device, dtype=torch.float32) + 0.5
    dy = (steps[None, :, None] - targets[:, 0, None, None] / 2) * flips[:, 0, None, None]
    dx = (steps[None, None, :] - targets[:, 1, None, None] / 2) * flips[:, 1, None, None]
    centre = sizes / 2 + shift
    x = centre[:, 1, None, None] + cos * dx - sin * dy
    y = centre[:, 0, None, None] + sin * dx + cos * dy
    return torch.stack([x, y], dim=-1) * (2 / SIDE) - 1


def _content(sizes: Tensor, device: torch.device) -> Tensor:
    """(B, 1, 256, 256) bool: inside the upper left height x width of each frame."""
    steps = torch.arange(SIDE, device=device)
    return ((steps[:, None] < sizes[:, 0, None, None]) & (steps < sizes[:, 1, None, None]))[:, None]


def _recolour(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Channels mixed or made grey, inverted, gamma, noise; each for a part of the batch. Values stay in [0, 1]."""
    count, device = len(pictures), pictures.device

    def some(probability: float) -> Tensor:
        return chance(probability, generator, count)[:, None, None, None]

    mix = torch.eye(3, device=device) + 0.3 * torch.randn(count, 3, 3, generator=generator, device=device)
    mixed = torch.einsum("bij,bjhw->bihw", mix, pictures).clamp(0, 1)
    pictures = torch.where(some(0.3), mixed, pictures)
    pictures = torch.where(some(0.1), pictures.mean(dim=1, keepdim=True).expand_as(pictures), pictures)
    pictures = torch.where(some(0.1), 1 - pictures, pictures)
    gamma = 2 ** uniform(-1, 1, generator, count)[:, None, None, None]
    pictures = torch.where(some(0.5), pictures.clamp(min=1e-6) ** gamma, pictures)
    strength = uniform(0, 0.06, generator, count)[:, None, None, None]
    noise = strength * torch.randn(pictures.shape, generator=generator, device=device)
    return torch.where(some(0.3), pictures + noise, pictures).clamp(0, 1)
