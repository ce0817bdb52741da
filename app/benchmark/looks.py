"""How the modalities look: what surrounds the objects, in greys 0..255, and the colours that pictures are shown in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from ..arrays import ByteArray, FloatArray

Place = tuple[float, float]  # x, y as shares of width and height
Colour = tuple[int, int, int]
Scene = Callable[[FloatArray, float], None]  # draws on (H, W); for a slice at a share 0..1 of the volume's depth

_GREY: tuple[Colour, ...] = ((0, 0, 0), (255, 255, 255))


@dataclass(frozen=True)
class Look:
    """A modality. Lengths in pixels are for a side of 512 and grow with it.

    greys: of objects, the least and the most. field: x_min, y_min, x_max, y_max of where they lie, as shares.
    slender: height of an object's place to its width. blur: the point spread. noise: grey levels; grain: its
    spread in pixels; speckle: noise as a share of the grey. palette: colours at equal steps of grey.
    """

    scene: Scene
    greys: tuple[int, int]
    field: tuple[float, float, float, float]
    slender: float = 1.0
    blur: float = 1.5
    texture: float = 6
    noise: float = 5
    grain: float = 0.8
    speckle: float = 0
    palette: tuple[Colour, ...] = _GREY

    def colours(self, plane: ByteArray) -> ByteArray:
        """(H, W, 3) of (H, W) greys."""
        steps = np.linspace(0, 255, len(self.palette))
        channels = [np.interp(np.arange(256), steps, channel) for channel in zip(*self.palette, strict=True)]
        coloured: ByteArray = np.stack(channels, axis=1).astype(np.uint8)[plane]
        return coloured


def _spot(plane: FloatArray, at: Place, half_axes: Place, grey: float, turn_degrees: float = 0) -> None:
    """A filled ellipse; half_axes as shares of width and height."""
    height, width = plane.shape
    centre, axes = (int(at[0] * width), int(at[1] * height)), (int(half_axes[0] * width), int(half_axes[1] * height))
    cv2.ellipse(plane, centre, axes, turn_degrees, 0, 360, grey, -1)


def _abdomen(plane: FloatArray, share: float) -> None:
    """Skin, fat, muscle, fat within, ribs, spine with its canal."""
    size = 0.92 + 0.08 * np.sin(np.pi * share)
    for axes, grey in (((0.46, 0.37), 75), ((0.42, 0.32), 130), ((0.37, 0.275), 95)):
        _spot(plane, (0.5, 0.5), (axes[0] * size, axes[1] * size), grey)
    for angle in np.linspace(0.6, 2 * np.pi + 0.6, 14, endpoint=False) + share * 4:
        at = 0.5 + 0.395 * size * np.cos(angle), 0.5 + 0.3 * size * np.sin(angle)
        _spot(plane, at, (0.025, 0.011), 215, np.degrees(angle) + 90)
    _spot(plane, (0.5, 0.73), (0.055, 0.045), 205)
    _spot(plane, (0.5, 0.785), (0.018, 0.014), 120)


def _head(plane: FloatArray, share: float) -> None:
    """Scalp, skull, brain with two ventricles, brighter towards one coil."""
    size = 0.75 + 0.25 * np.sin(np.pi * (0.15 + 0.7 * share))
    for axes, grey in (((0.37, 0.46), 170), ((0.345, 0.43), 25), ((0.325, 0.405), 115)):
        _spot(plane, (0.5, 0.5), (axes[0] * size, axes[1] * size), grey)
    for side in (-1, 1):
        _spot(plane, (0.5 + side * 0.04, 0.47), (0.018 * size, 0.08 * size), 45, side * -12)
    plane *= np.linspace(1.15, 0.85, plane.shape[1], dtype=np.float32)


def _tracer(plane: FloatArray, share: float) -> None:
    """A faint body, a warm heart and kidneys."""
    _spot(plane, (0.5, 0.5), (0.34, 0.24), 22)
    if 0.3 < share < 0.6:
        _spot(plane, (0.58, 0.42), (0.06, 0.05), 75, 30)
    for x in (0.36, 0.64):
        _spot(plane, (x, 0.6), (0.035, 0.025), 60)


def _fan(plane: FloatArray, _: float) -> None:
    """Layers of tissue in the fan of a probe at the top."""
    height, width = plane.shape
    rows = np.arange(height, dtype=np.float32) / height
    layers = 115 + 30 * np.sin(19 * rows) * (rows < 0.35) - 45 * rows
    inside = np.zeros_like(plane)
    cv2.ellipse(inside, (width // 2, -height // 8), (int(1.08 * height),) * 2, 90, -36, 36, 1, -1)
    plane += inside * layers[:, None]


def _jaws(plane: FloatArray, _: float) -> None:
    """A panoramic picture: two jaws, the shadow of the neck, air between."""
    plane += 55
    _spot(plane, (0.5, 0.3), (0.44, 0.24), 110)
    _spot(plane, (0.5, 0.72), (0.47, 0.25), 125)
    _spot(plane, (0.5, 0.5), (0.42, 0.03), 70)
    plane += 35 * np.exp(-((np.linspace(-1, 1, plane.shape[1], dtype=np.float32) / 0.15) ** 2))


def _skin(plane: FloatArray, _: float) -> None:
    """Skin in the light of a dermatoscope, with hairs."""
    plane += _vignette(plane, 205, 60)
    height, width = plane.shape
    rng = np.random.default_rng(7)
    for start, bend, end in rng.uniform(0, 1, (14, 3, 2)) * (width, height):
        t = np.linspace(0, 1, 40)[:, None]
        hair = ((1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end).astype(np.int32)
        cv2.polylines(plane, [hair], isClosed=False, color=50, thickness=max(1, width // 500))


def _gut(plane: FloatArray, _: float) -> None:
    """Mucosa with folds about a dark lumen, and light that the wet wall throws back."""
    plane += _vignette(plane, 165, 110)
    for k in range(5, 0, -1):
        _spot(plane, (0.72, 0.25), (0.09 * k, 0.08 * k), 25 + 24 * k, 20)
    for at in ((0.2, 0.2), (0.27, 0.85), (0.85, 0.8)):
        _spot(plane, at, (0.014, 0.008), 255, 40)


def _retina(plane: FloatArray, _: float) -> None:
    """The round field, the macula, vessels that spread from the disc's place."""
    height, width = plane.shape
    _spot(plane, (0.5, 0.5), (0.48, 0.48), 130)
    _spot(plane, (0.4, 0.52), (0.07, 0.07), 100)
    rng = np.random.default_rng(7)
    for angle in np.linspace(0, 2 * np.pi, 12, endpoint=False):
        heading = angle + np.cumsum(rng.normal(0, 0.12, 30))
        steps = 0.017 * np.stack([np.cos(heading), np.sin(heading)], axis=1)
        line = ((0.75, 0.5) + np.cumsum(steps, axis=0)) * (width, height)
        cv2.polylines(plane, [line.astype(np.int32)], isClosed=False, color=80, thickness=max(1, width // 170))
    field = np.zeros_like(plane)
    _spot(field, (0.5, 0.5), (0.48, 0.48), 1)
    plane *= field


def _tissue(plane: FloatArray, _: float) -> None:
    """Stained stroma, evenly lit."""
    plane += 190


def _vignette(plane: FloatArray, middle: float, fall: float) -> FloatArray:
    """Light that falls off from the middle to the corners."""
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) ** 2 for side in plane.shape)
    return (middle - fall * (y[:, None] + x[None]) / 2).astype(np.float32)


LOOKS = {
    "CT": Look(_abdomen, (150, 190), (0.22, 0.3, 0.78, 0.66)),
    "MR": Look(_head, (155, 215), (0.28, 0.22, 0.72, 0.78), noise=4),
    "PET": Look(_tracer, (190, 230), (0.38, 0.4, 0.55, 0.58), blur=5, noise=3, grain=1.5),
    "US": Look(_fan, (30, 55), (0.3, 0.3, 0.7, 0.7), texture=4, noise=1, grain=1.2, speckle=0.3),
    "X-Ray": Look(_jaws, (165, 215), (0.08, 0.22, 0.92, 0.8), slender=2),
    "Dermoscopy": Look(
        _skin, (70, 105), (0.2, 0.15, 0.8, 0.85), noise=2,
        palette=((25, 15, 15), (100, 65, 50), (190, 140, 115), (240, 205, 190)),
    ),
    "Endoscopy": Look(
        _gut, (190, 210), (0.1, 0.35, 0.65, 0.9), noise=3,
        palette=((8, 2, 2), (115, 35, 30), (205, 110, 90), (255, 235, 225)),
    ),
    "Fundus": Look(
        _retina, (205, 225), (0.66, 0.41, 0.84, 0.59), noise=2,
        palette=((0, 0, 0), (115, 40, 15), (205, 100, 45), (250, 225, 150)),
    ),
    "Microscope": Look(
        _tissue, (70, 115), (0, 0, 1, 1), texture=14, noise=4,
        palette=((40, 20, 85), (115, 70, 150), (220, 150, 190), (248, 238, 242)),
    ),
}  # fmt: skip
