"""A volume looked at along each of its axes, and each object kept where two of the three views agree.

As the challenge's team NeuroDesk does for PET (Modality-Specific Strategies for Medical Image Segmentation using
Lightweight SAM Architectures). A view is a transposition of volume and boxes; the sweep knows nothing of it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import BoolArray, ByteArray, IntArray, LabelArray, Spacing
from ..cases.case import empty_labels
from ..engines.engine import Engine
from ..frame import PlacedMask
from ..prompts.prompt import PromptMaker
from .clock import StageClock
from .slice_cache import SliceCache
from .slice_decoding import PromptListener
from .volume import EncodedVolume

MAJORITY = 2  # of three views

Window = tuple[slice, slice, slice]  # of (D, H, W)


@dataclass(frozen=True)
class Piece:
    """Part of an object as one view found it on one slice: bits of the voxels of `window`, one thick on one axis."""

    window: Window
    bits: ByteArray

    def voxels(self) -> ByteArray:
        """0 or 1, of the window's shape."""
        shape = [part.stop - part.start for part in self.window]
        return np.unpackbits(self.bits, count=math.prod(shape)).reshape(shape)


@dataclass(frozen=True)
class View:
    """axes: which of a volume's (D, H, W) are the slices, rows and columns of the view."""

    name: str
    axes: tuple[int, int, int]

    def volume(self, volume: ByteArray) -> ByteArray:
        """(D, H, W) or (D, H, W, 3) with the view's axes first, without a copy."""
        return volume.transpose(*self.axes, *range(3, volume.ndim))

    def boxes(self, boxes: IntArray, shape: Sequence[int]) -> IntArray:
        """Boxes (N, 6) in a volume of `shape` (D, H, W), with x, y, z along the view's columns, rows, slices.

        Every end is included, so one that is the volume's far border becomes the last slice.
        """
        columns = [2 - axis for axis in reversed(self.axes)]
        turned = np.concatenate([boxes[:, columns], boxes[:, [3 + column for column in columns]]], axis=1)
        turned[:, 5] = np.minimum(turned[:, 5], shape[self.axes[0]] - 1)
        return turned

    def piece(self, index: int, mask: PlacedMask) -> Piece:
        """The mask of slice `index` in its place in the volume."""
        window = slice(index, index + 1), *mask.window
        d, h, w = (self.axes.index(axis) for axis in range(3))
        return Piece((window[d], window[h], window[w]), np.packbits(mask.pixels[None].transpose(d, h, w)))


AXIAL, CORONAL, SAGITTAL = View("axial", (0, 1, 2)), View("coronal", (1, 0, 2)), View("sagittal", (2, 0, 1))


def slice_distance(spacing_mm: Spacing | None) -> float:
    """Between slices, in sides of a slice's pixel, which counts as square; 1 where the spacing is not known.

    spacing_mm: (z, y, x), or (x, y, z) as the challenge's converter writes it: told apart by its first two being equal.
    """
    if spacing_mm is None:
        return 1.0
    first, middle, last = spacing_mm
    return last / middle if math.isclose(first, middle, rel_tol=1e-3) else first / middle


class EncodedViews:
    """A volume (D, H, W) or (D, H, W, 3) uint8 that is swept along each axis.

    batch: of prompts. distance: between slices, in sides of a slice's pixel.
    """

    def __init__(self, volume: ByteArray, engine: Engine, cache: SliceCache, batch: int, distance: float) -> None:
        self._shape = volume.shape[:3]
        self._encoded = {
            view: EncodedVolume(view.volume(volume), engine, cache, batch, view.name, height)
            for view, height in ((AXIAL, 1.0), (CORONAL, distance), (SAGITTAL, distance))
        }

    def segment(
        self,
        boxes: IntArray,
        inside: BoolArray,
        maker: PromptMaker,
        clock: StageClock,
        listener: PromptListener | None = None,
    ) -> LabelArray:
        """Label map (D, H, W): k where two views find object k of box k (N, 6), a later object over an earlier one.

        listener: hears of the axial prompts alone, whose slices are the volume's.
        """
        found: defaultdict[int, list[Piece]] = defaultdict(list)
        for view, encoded in self._encoded.items():
            hears = listener if view is AXIAL else None
            turned = view.boxes(boxes, self._shape)
            for label, index, mask in encoded.sweep(turned, inside, _maker(maker, view), clock, hears):
                if mask.pixels.any():
                    found[label].append(view.piece(index, mask))
        labels = empty_labels(self._shape, len(boxes))
        for label in sorted(found):
            _paint_majority(labels, label, found.pop(label))
        return labels


def _maker(maker: PromptMaker, view: View) -> PromptMaker:
    """Random prompts of their own for each further view; no case's name holds a slash."""
    return maker if view is AXIAL else replace(maker, case=f"{maker.case}/{view.name}")


def _paint_majority(labels: LabelArray, label: int, pieces: Sequence[Piece]) -> None:
    """Set `label` in a label map (D, H, W) wherever enough views have a piece."""
    votes = np.zeros(labels.shape, np.uint8)
    for piece in pieces:
        votes[piece.window] += piece.voxels()
    hull = _hull([piece.window for piece in pieces])
    labels[hull][votes[hull] >= MAJORITY] = label


def _hull(windows: Sequence[Window]) -> Window:
    """The smallest window that holds all of them."""
    d, h, w = (
        slice(min(part.start for part in parts), max(part.stop for part in parts))
        for parts in zip(*windows, strict=True)
    )
    return d, h, w
