"""A scribble inside a box: one random stroke of the SEEM "rand_curve" kind (published inference script)."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import BoolArray, ByteArray, IntArray
from .rules import PromptRule, scribble_shift

TRIES = 6
SMALLEST = 6  # pixels
MAX_SPEED = 20.0

Vertices = NDArray[np.float64]  # (n, 2) as x, y


def draw_scribble(box: IntArray, visible: BoolArray, rule: PromptRule, rng: np.random.Generator) -> BoolArray:
    """(256, 256) mask of one connected stroke on visible pixels inside the box, or all False where none fits."""
    x0, y0, x1, y1 = (int(v) for v in box)
    shift_x = scribble_shift(x1 - x0, rule, rng)
    shift_y = scribble_shift(y1 - y0, rule, rng)
    region = np.zeros_like(visible)
    window = slice(y0 + shift_y, max(y1 - shift_y, 0)), slice(x0 + shift_x, max(x1 - shift_x, 0))
    region[window] = visible[window]
    return _stroke_inside(region, rng)


def _stroke_inside(region: BoolArray, rng: np.random.Generator) -> BoolArray:
    starts = np.flatnonzero(region)
    for _ in range(TRIES if len(starts) else 0):
        row, column = divmod(int(starts[rng.integers(len(starts))]), region.shape[1])
        brush = int(rng.integers(3, 10))
        vertices = _jitter(_walk(column, row, rng), rng)
        stroke = _largest_part(_render(vertices, brush, region.shape) & region)
        if np.count_nonzero(stroke) >= SMALLEST:
            return stroke
    return np.zeros_like(region)


def _walk(x: float, y: float, rng: np.random.Generator) -> Vertices:
    """A walk of 10 to 29 steps whose direction and speed change a little at each."""
    steps = int(rng.integers(10, 30))
    angles = rng.uniform(0, 2 * math.pi) + np.cumsum(rng.uniform(-0.5, 0.5, steps))
    speed = rng.uniform(0, MAX_SPEED)
    vertices = np.empty((steps + 1, 2))
    vertices[0] = x, y
    for i, (change, angle) in enumerate(zip(rng.uniform(-15, 15, steps), angles, strict=True)):
        speed = min(max(speed + change, 0.0), MAX_SPEED)
        vertices[i + 1] = vertices[i] + (speed * math.sin(angle), speed * math.cos(angle))
    return vertices


def _jitter(vertices: Vertices, rng: np.random.Generator) -> Vertices:
    """Drift the whole stroke by a few pixels and move a random half of its vertices."""
    distance, direction = abs(rng.normal(0, 3)), rng.uniform(0, 2 * math.pi)
    moved: Vertices = vertices + np.trunc([distance * math.cos(direction), distance * math.sin(direction)])
    half = rng.choice(len(vertices), len(vertices) // 2, replace=False)
    moved[half] += rng.integers(-3, 3, (len(half), 2))
    return moved


def _render(vertices: Vertices, brush: int, shape: tuple[int, ...]) -> BoolArray:
    canvas: ByteArray = np.zeros(shape, np.uint8)
    corners = np.rint(vertices).astype(np.int32)
    # OpenCV draws wider than asked: a thickness of brush - 1 comes out as brush pixels, or one more.
    cv2.polylines(canvas, [corners], isClosed=False, color=1, thickness=brush - 1)
    for x, y in corners.tolist():
        cv2.circle(canvas, (x, y), brush // 2 - 1, color=1, thickness=-1)
    return canvas.astype(bool)


def _largest_part(stroke: BoolArray) -> BoolArray:
    _, parts, statistics, _ = cv2.connectedComponentsWithStats(stroke.astype(np.uint8), connectivity=8)
    areas = statistics[1:, cv2.CC_STAT_AREA]
    return np.asarray(parts == 1 + int(areas.argmax())) if len(areas) else stroke
