"""Synthetic cases: organs, lesions and cells in what surrounds them, made from a seed, in the challenge's format.

Outlines are smooth and uneven and change from slice to slice; tissue has texture; the point spread blurs all of it,
and noise with a grain lies over it. The truth is drawn with it, so that a DSC can be had; it says how a program
fares with phantoms, nothing of patients.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..arrays import AnyArray, ByteArray, DoubleArray, FloatArray, IntArray
from ..cases.atomic import write_atomically
from .looks import LOOKS, Look

CornerArray = NDArray[np.int32]
_SPACING_MM = (2.5, 0.8, 0.8)  # z, y, x
_MARGIN = 3  # pixels by which boxes are loose
_CORNERS = 96
_TEXTURE_STEP = 12  # pixels from one of the texture's patches to the next, for a side of 512


@dataclass(frozen=True)
class CaseKind:
    """A case to be made. side: height, width. depth 1: a picture.

    z_ranges: first and last slice of each object; without them all objects lie on all slices.
    """

    name: str
    look: str
    side: tuple[int, int]
    objects: int
    depth: int = 1
    z_ranges: tuple[tuple[int, int], ...] = ()

    @property
    def title(self) -> str:
        if self.depth > 1:
            return f"{self.depth}-slice volume, {self.objects} object{'s' * (self.objects > 1)}"
        return f"{self.side[0]} x {self.side[1]}, {self.objects} box{'es' * (self.objects > 1)}"


@dataclass(frozen=True)
class _Organ:
    """An uneven ellipse that swells, shrinks and changes its outline from slice z_min to z_max; lengths in pixels."""

    centre: DoubleArray  # (2,), x, y
    half_axes: DoubleArray  # (2,)
    turn: float
    waves: DoubleArray  # (3,), where the outline's three waves begin
    grey: int
    z_min: int
    z_max: int

    def outline(self, z: int) -> CornerArray:
        """(96, 2), the corners x, y on slice z."""
        along = (z - self.z_min + 1) / (self.z_max - self.z_min + 2)
        swell = 0.5 + 0.5 * np.sin(np.pi * along)
        angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
        uneven = 1 + sum(0.06 * np.cos(k * angles + wave + 2 * along) for k, wave in enumerate(self.waves, start=2))
        x, y = swell * self.half_axes[:, None] * uneven * np.stack([np.cos(angles), np.sin(angles)])
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        corners = np.stack([cos * x - sin * y, sin * x + cos * y], axis=1)
        return np.rint(corners + self.centre).astype(np.int32)


class _Painter:
    """Paints the slices of one case."""

    def __init__(self, kind: CaseKind) -> None:
        self._kind = kind
        self._look = LOOKS[kind.look]
        self._rng = np.random.default_rng(zlib.crc32(kind.name.encode()))
        self._organs = _scatter(kind, self._look, self._rng)
        self._textures = [_texture(kind.side, self._rng) for _ in range(2)]

    def paint(self, z: int) -> tuple[ByteArray, ByteArray]:
        """Slice z: greys (H, W), and its label map (H, W)."""
        plane = np.zeros(self._kind.side, np.float32)
        labels = np.zeros(self._kind.side, np.uint8)
        self._look.scene(plane, z / self._kind.depth)
        for label, organ in enumerate(self._organs, start=1):
            if organ.z_min <= z <= organ.z_max:
                corners = [organ.outline(z)]
                cv2.fillPoly(plane, corners, organ.grey)
                cv2.fillPoly(labels, corners, label)
        return self._expose(plane, z), labels

    def _expose(self, plane: FloatArray, z: int) -> ByteArray:
        """What the scanner or camera makes of it: texture where there is tissue, blur, noise."""
        look, scale = self._look, max(self._kind.side) / 512
        texture = np.cos(z / 12) * self._textures[0] + np.sin(z / 12) * self._textures[1]
        sharp = plane + look.texture * texture * (plane > 0)
        noise = cv2.GaussianBlur(self._rng.standard_normal(plane.shape, np.float32), (0, 0), look.grain)
        noise = 2 * np.sqrt(np.pi) * look.grain * noise  # as strong as it was before it was blurred
        seen = cv2.GaussianBlur(sharp, (0, 0), look.blur * scale) * (1 + look.speckle * noise) + look.noise * noise
        plain: ByteArray = np.clip(seen, 0, 255).astype(np.uint8)
        return plain


def write_case(kind: CaseKind, folder: Path) -> Path:
    """Write `imgs`, `boxes`, `gts` and, of a volume, `spacing` as `folder/name.npz`, packed, and return its path."""
    painter = _Painter(kind)
    greys, truths = zip(*(painter.paint(z) for z in range(kind.depth)), strict=True)
    imgs, gts = np.stack(greys), np.stack(truths)
    boxes = _boxes(gts)
    arrays: dict[str, AnyArray] = {"imgs": imgs, "boxes": boxes, "gts": gts, "spacing": np.array(_SPACING_MM)}
    if kind.depth == 1:
        arrays = {"imgs": LOOKS[kind.look].colours(imgs[0]), "boxes": boxes[:, [0, 1, 3, 4]], "gts": gts[0]}
    path = folder / f"{kind.name}.npz"
    with write_atomically(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    return path


def _boxes(gts: ByteArray) -> IntArray:
    """(N, 6) of a label map (D, H, W): x_min, y_min, z_min, x_max, y_max, z_max, loose in x and y."""
    boxes = []
    for z, y, x in ndimage.find_objects(gts):
        low = x.start - _MARGIN, y.start - _MARGIN, z.start
        high = x.stop - 1 + _MARGIN, y.stop - 1 + _MARGIN, z.stop - 1
        boxes.append([*low, *high])
    last = np.array(gts.shape[::-1] * 2) - 1
    return np.clip(boxes, 0, last)


def _scatter(kind: CaseKind, look: Look, rng: np.random.Generator) -> list[_Organ]:
    """The objects, each near the middle of a place of its own, in rows that fill the look's field."""
    size = np.array(kind.side[::-1])
    low, high = np.array(look.field[:2]) * size, np.array(look.field[2:]) * size
    width, height = high - low
    rows = max(1, round(np.sqrt(kind.objects * height / width / look.slender)))
    z_ranges = kind.z_ranges or ((0, kind.depth - 1),) * kind.objects
    organs = []
    for row in range(rows):
        of_row = z_ranges[row::rows]
        place = np.array([width / len(of_row), height / rows])
        for column, (z_min, z_max) in enumerate(of_row):
            centre = low + place * (np.array([column, row]) + rng.uniform(0.38, 0.62, 2))
            half_axes, turn = rng.uniform(0.2, 0.32, 2) * place, rng.uniform(-0.4, 0.4)
            waves, grey = rng.uniform(0, 2 * np.pi, 3), int(rng.integers(*look.greys))
            organs.append(_Organ(centre, half_axes, turn, waves, grey, z_min, z_max))
    return organs


def _texture(side: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    """(H, W) of patches that are smooth within and into each other, of about unit strength."""
    height, width = side
    step = _TEXTURE_STEP * max(side) / 512
    patches = rng.standard_normal((int(height / step) + 2, int(width / step) + 2), np.float32)
    return cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
