"""Synthetic cases: smooth organs and cells with noise over them, made from a seed, in the challenge's format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from app.arrays import ByteArray, IntArray

NOISE = 6  # grey levels
MARGIN = 3  # pixels by which boxes are loose


@dataclass(frozen=True)
class CaseKind:
    """A case to be made; depth 1: a picture. `spans`: on how many slices the objects lie, at the least and most."""

    name: str
    title: str
    side: tuple[int, int]  # height, width
    objects: int
    depth: int = 1
    spans: tuple[int, int] = (1, 1)


KINDS = (
    CaseKind("2DBox_one", "512 x 512, 1 box", (512, 512), 1),
    CaseKind("2DBox_twenty", "512 x 512, 20 boxes", (512, 512), 20),
    CaseKind("3DBox_one", "20-slice volume, 1 object", (512, 512), 1, 20, (20, 20)),
    CaseKind("3DBox_six", "20-slice volume, 6 objects", (512, 512), 6, 20, (20, 20)),
    CaseKind("2DBox_cells", "1920 x 2560, 241 boxes", (1920, 2560), 241),
    CaseKind("3DBox_long", "287-slice volume, 6 objects", (512, 512), 6, 287, (60, 200)),
)


@dataclass(frozen=True)
class _Blob:
    """An ellipse that swells and shrinks from slice z_min to z_max; lengths in pixels."""

    centre: tuple[int, int]  # x, y
    half_axes: tuple[int, int]
    turn_degrees: int
    grey: int
    z_min: int
    z_max: int

    def draw(self, plane: ByteArray, z: int) -> None:
        along = (z - self.z_min + 1) / (self.z_max - self.z_min + 2)
        swell = 0.5 + 0.5 * np.sin(np.pi * along)
        axes = (int(self.half_axes[0] * swell), int(self.half_axes[1] * swell))
        cv2.ellipse(plane, self.centre, axes, self.turn_degrees, 0, 360, self.grey, -1, cv2.LINE_AA)

    @property
    def box(self) -> list[int]:
        """x_min, y_min, z_min, x_max, y_max, z_max."""
        reach = max(self.half_axes) + MARGIN
        (x, y), low, high = self.centre, self.z_min, self.z_max
        return [x - reach, y - reach, low, x + reach, y + reach, high]


def write_case(kind: CaseKind, folder: Path) -> Path:
    """Write `imgs` and `boxes` as `folder/name.npz`, packed, and return its path."""
    rng = np.random.default_rng(len(kind.name) + kind.objects)
    blobs = _scatter(kind, rng)
    imgs = np.stack([_plane(kind, blobs, z, rng) for z in range(kind.depth)])
    boxes: IntArray = np.array([blob.box for blob in blobs])
    if kind.depth == 1:
        # Stained tissue: the channels differ.
        imgs = (imgs[0, :, :, None] * np.array([1, 0.8, 0.9])).astype(np.uint8)
        boxes = boxes[:, [0, 1, 3, 4]]
    path = folder / f"{kind.name}.npz"
    np.savez_compressed(path, imgs=imgs, boxes=boxes, allow_pickle=False)
    return path


def _scatter(kind: CaseKind, rng: np.random.Generator) -> list[_Blob]:
    """The objects, each near the middle of a tile of its own."""
    height, width = kind.side
    columns = int(np.ceil(np.sqrt(kind.objects * width / height)))
    rows = -(-kind.objects // columns)
    tile = min(height // rows, width // columns)
    blobs = []
    for k in range(kind.objects):
        middle = np.array([(k % columns + 0.5) * width / columns, (k // columns + 0.5) * height / rows])
        x, y = (middle + rng.uniform(-0.08, 0.08, 2) * tile).astype(int).tolist()
        a, b = (rng.uniform(0.2, 0.38, 2) * tile).astype(int).tolist()
        span = int(rng.integers(kind.spans[0], kind.spans[1] + 1))
        z_min = int(rng.integers(kind.depth - span + 1))
        turn, grey = int(rng.integers(180)), int(rng.integers(110, 220))
        blobs.append(_Blob((x, y), (a, b), turn, grey, z_min, z_min + span - 1))
    return blobs


def _plane(kind: CaseKind, blobs: list[_Blob], z: int, rng: np.random.Generator) -> ByteArray:
    """(H, W) of one slice: tissue in the dark, the objects that reach this slice, blurred, and noise."""
    height, width = kind.side
    plane = np.full(kind.side, 5, np.uint8)
    cv2.ellipse(plane, (width // 2, height // 2), (width * 6 // 10, height * 6 // 10), 0, 0, 360, 70, -1)
    for blob in blobs:
        if blob.z_min <= z <= blob.z_max:
            blob.draw(plane, z)
    smooth = cv2.GaussianBlur(plane, (0, 0), 2.0)
    noise = cv2.GaussianBlur(rng.normal(0, 2 * NOISE, kind.side).astype(np.float32), (0, 0), 0.8)
    return np.clip(smooth + noise, 0, 255).astype(np.uint8)
