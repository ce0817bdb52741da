"""Prompts made in batches on the device that trains: loose boxes, points and scribbles.

The same rules as `app.prompts`, which make one prompt at a time on the CPU, but for two liberties that keep
the GPU busy: a scribble's stroke is a chain of round brushes, and its smaller parts are not removed.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..frame import SIDE
from ..prompts.prompt import PROPAGATION_MARGIN
from .draws import chance, uniform

STROKE_STEPS = 29
LOOSEST = 5  # frame pixels by which a side may lie outside its object (published training code)
SMALLEST_SCRIBBLE = 6  # pixels


def draw_inside(boxes: Tensor, masks: Tensor, visible: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Points (B, 4, 2) and scribbles (B, 256, 256) float32 in boxes (B, 4); half by each of the published rules.

    Training's rule lets points lie on the object in the whole box and a scribble anywhere in it; inference's
    lets both lie on any visible pixel of a shrunk box. masks, visible: (B, 256, 256) bool.
    """
    trained = chance(0.5, generator, len(masks))
    sides = boxes[:, 2:] - boxes[:, :2]
    point_shift = _shift(sides // 5, sides // 2 - 2, generator) * ~trained[:, None]
    scribble_shift = _shift(sides // 8, sides // 6 - 1, generator) * ~trained[:, None]
    choice = trained[:, None, None]
    points = _points(boxes, point_shift, torch.where(choice, masks, visible), generator)
    region = rectangles(_shrunk(boxes, scribble_shift)) & (visible | choice)
    return points, _scribbles(region, generator)


def boxes_around(masks: Tensor) -> Tensor:
    """(B, 4) x0, y0, x1, y1 float32, the extent of each mask (B, 256, 256), last index included."""
    columns, rows = masks.any(1), masks.any(2)
    ends = [axis.float().argmax(1) for axis in (columns, rows)]
    ends += [SIDE - 1 - axis.flip(1).float().argmax(1) for axis in (columns, rows)]
    return torch.stack(ends, dim=1).float()


def loosen(boxes: Tensor, generator: torch.Generator) -> Tensor:
    """Move each side outward by 0..5 pixels, within the frame."""
    by = torch.randint(0, LOOSEST + 1, boxes.shape, generator=generator, device=boxes.device)
    outward = torch.tensor([-1, -1, 1, 1], device=boxes.device)
    return (boxes + by * outward).clamp(0, SIDE)


def imperfect(boxes: Tensor, generator: torch.Generator) -> Tensor:
    """Boxes as slice propagation makes them: wider by its margin than an object that grew, shrank or moved.

    A quarter are far too wide on some sides, as a volume's box is on its middle slice.
    """
    sides = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    drift = 0.07 * torch.randn(boxes.shape, generator=generator, device=boxes.device)
    excess = uniform(0, 0.35, generator, *boxes.shape) * chance(0.25, generator, len(boxes))[:, None]
    by = (PROPAGATION_MARGIN + sides * (drift + excess).clamp(min=-0.25)).round()
    return (boxes + by * torch.tensor([-1, -1, 1, 1], device=boxes.device)).clamp(0, SIDE)


def random_boxes(within: Tensor, generator: torch.Generator) -> Tensor:
    """One box (B, 4) anywhere in each of the boxes given, of any size; whole pixels."""
    ends = uniform(0, 1, generator, len(within), 2, 2)
    low, high = ends.amin(1), ends.amax(1)
    size = within[:, 2:] - within[:, :2]
    return torch.cat([within[:, :2] + low * size, within[:, :2] + high * size], dim=1).round()


def rectangles(boxes: Tensor) -> Tensor:
    """(B, 256, 256) bool, x0 <= x < x1 and y0 <= y < y1 of boxes (B, 4)."""
    steps = torch.arange(SIDE, device=boxes.device)
    x0, y0, x1, y1 = boxes[:, :, None, None].unbind(1)
    return (steps >= x0) & (steps < x1) & (steps[:, None] >= y0) & (steps[:, None] < y1)


def _shrunk(boxes: Tensor, shift: Tensor) -> Tensor:
    return torch.cat([boxes[:, :2] + shift, boxes[:, 2:] - shift], dim=1)


def _shift(low: Tensor, high: Tensor, generator: torch.Generator) -> Tensor:
    """Uniform whole numbers in low..high, 0 where that is empty (inference rule of the published code)."""
    drawn = low + torch.floor(torch.rand(low.shape, generator=generator, device=low.device) * (high - low + 1))
    return torch.where(low <= high, drawn, 0)


def _points(boxes: Tensor, shift: Tensor, allowed: Tensor, generator: torch.Generator) -> Tensor:
    """One point in each quadrant of the shrunk box on an allowed pixel, else the centre: (B, 4, 2) as x, y."""
    centre = torch.floor((boxes[:, :2] + boxes[:, 2:]) / 2)
    x0, y0, x1, y1 = _shrunk(boxes, shift).unbind(1)
    middle_x, middle_y = centre.unbind(1)
    points = []
    for left, right, upper, lower in (
        (x0, middle_x, y0, middle_y),
        (x0, middle_x, middle_y, y1),
        (middle_x, x1, middle_y, y1),
        (middle_x, x1, y0, middle_y),
    ):
        quadrant = rectangles(torch.stack([left, upper, right, lower], dim=1)) & allowed
        found, place = _random_pixel(quadrant, generator)
        points.append(torch.where(found[:, None], place, centre))
    return torch.stack(points, dim=1)


def _random_pixel(region: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Whether each region (B, 256, 256) has a pixel, and a uniformly drawn one (B, 2) as x, y."""
    tickets = torch.rand(region.shape, generator=generator, device=region.device) * region
    highest, index = tickets.flatten(1).max(1)
    return highest > 0, torch.stack([index % SIDE, index // SIDE], dim=1).float()


def _scribbles(region: Tensor, generator: torch.Generator) -> Tensor:
    """(B, 256, 256) of 0 and 1: a random stroke inside each region, all zero where it comes out too small."""
    count = len(region)
    _, vertex = _random_pixel(region, generator)
    radius = (torch.floor(uniform(3, 10, generator, count)) / 2)[:, None, None]
    steps = torch.floor(uniform(10, 30, generator, count))
    turns = uniform(-0.5, 0.5, generator, count, STROKE_STEPS).cumsum(1)
    angles = uniform(0, 2 * math.pi, generator, count)[:, None] + turns
    changes, speed = uniform(-15, 15, generator, count, STROKE_STEPS), uniform(0, 20, generator, count)
    drawn = torch.zeros_like(region)
    for i in range(STROKE_STEPS):
        speed = (speed + changes[:, i]).clamp(0, 20)
        following = vertex + speed[:, None] * torch.stack([angles[:, i].sin(), angles[:, i].cos()], dim=1)
        drawn |= (_distance(vertex, following) <= radius) & (i < steps)[:, None, None]
        vertex = following
    scribbles = drawn & region
    return (scribbles & (scribbles.sum((1, 2), keepdim=True) >= SMALLEST_SCRIBBLE)).float()


def _distance(start: Tensor, end: Tensor) -> Tensor:
    """(B, 256, 256) distance of every pixel from the segments between start and end, (B, 2) each as x, y."""
    steps = torch.arange(SIDE, device=start.device, dtype=torch.float32)
    dx, dy = steps - start[:, 0, None, None], steps[:, None] - start[:, 1, None, None]
    along_x, along_y = (end - start)[:, :, None, None].unbind(1)
    length = (along_x**2 + along_y**2).clamp(min=1e-6)
    share = ((dx * along_x + dy * along_y) / length).clamp(0, 1)
    return torch.hypot(dx - share * along_x, dy - share * along_y)
