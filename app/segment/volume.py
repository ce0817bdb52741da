"""A volume: slice by slice outward from each object's middle, all objects of a slice together.

One ascending and one descending pass serve all objects, so a slice is visited at most twice and, while
the cache holds it, encoded once. An object's box on the next slice comes from its mask on this one
(published inference script; z_min and z_max both included, as the challenge's own script has it).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, ByteArray, IntArray, LabelArray
from ..cases.case import empty_labels
from ..engines.engine import Engine
from ..frame import Geometry, PlacedMask, make_frame
from ..prompts.prompt import Prompt, PromptMaker, box_around
from .clock import StageClock
from .slice_cache import EncodedSlice, SliceCache
from .slice_decoding import PromptListener, SliceDecoder


@dataclass
class _Track:
    """One object on its way through the slices; boxes (4,) are in the frame."""

    label: int
    given_box: IntArray
    z_min: int
    z_max: int
    propagated: IntArray | None = None
    propagated_from_middle: IntArray | None = None

    @property
    def middle(self) -> int:
        return (self.z_min + self.z_max) // 2

    def prompt(self, z: int) -> Prompt:
        """The given box at the start and after an empty mask, else the one from the mask before."""
        return Prompt(self.label, z, self.given_box if self.propagated is None else self.propagated)

    def move_on(self, z: int, mask: PlacedMask, geometry: Geometry) -> None:
        """Take the box for the next slice from the mask on slice z."""
        self.propagated = box_around(geometry.mask_to_frame(mask))
        if z == self.middle:
            self.propagated_from_middle = self.propagated

    def back_to_middle(self) -> None:
        self.propagated = self.propagated_from_middle


class EncodedVolume:
    """A volume (D, H, W) or (D, H, W, 3) uint8 whose slices are encoded when first needed.

    batch: of prompts. view: under what name the cache, which may serve several views of one volume, keeps the slices.
    pixel_height: of a slice's pixels, in widths of them.
    """

    def __init__(
        self,
        volume: ByteArray,
        engine: Engine,
        cache: SliceCache,
        batch: int,
        view: str = "axial",
        pixel_height: float = 1.0,
    ) -> None:
        self._volume = volume
        self._engine = engine
        self._geometry = Geometry(volume.shape[1], volume.shape[2], pixel_height)
        self._cache = cache
        self._batch = batch
        self._view = view

    def segment(
        self,
        boxes: IntArray,
        inside: BoolArray,
        maker: PromptMaker,
        clock: StageClock,
        listener: PromptListener | None = None,
    ) -> LabelArray:
        """Label map (D, H, W): k where box k (N, 6) found its object, a later object over an earlier one."""
        labels = empty_labels(self._volume.shape[:3], len(boxes))
        for label, z, mask in self.sweep(boxes, inside, maker, clock, listener):
            mask.paint(labels[z], label)
        return labels

    def sweep(
        self,
        boxes: IntArray,
        inside: BoolArray,
        maker: PromptMaker,
        clock: StageClock,
        listener: PromptListener | None = None,
    ) -> Iterator[tuple[int, int, PlacedMask]]:
        """Yield the label, the slice and the mask of every object on every slice that its box (N, 6) reaches."""
        tracks = [self._track(int(i) + 1, boxes[i]) for i in np.flatnonzero(inside)]
        descent = list(_descending(tracks))
        returning = frozenset((self._view, z) for z, _ in descent)
        decoder = SliceDecoder(self._engine, self._geometry, maker, clock, self._batch, listener)

        def visit(z: int, active: Sequence[_Track]) -> Iterator[tuple[int, int, PlacedMask]]:
            encoded = self._cache.get((self._view, z), lambda: self._encode(z, clock), returning)
            masks = decoder.masks(encoded, [track.prompt(z) for track in active])
            for track, (_, mask) in zip(active, masks, strict=True):
                track.move_on(z, mask, self._geometry)
                yield track.label, z, mask

        for z, active in _ascending(tracks):
            yield from visit(z, active)
        for track in tracks:
            track.back_to_middle()
        for z, active in descent:
            yield from visit(z, active)

    def _track(self, label: int, box: IntArray) -> _Track:
        in_plane = self._geometry.box_to_frame(box[[0, 1, 3, 4]])
        return _Track(label, in_plane, z_min=int(box[2]), z_max=int(box[5]))

    def _encode(self, z: int, clock: StageClock) -> EncodedSlice:
        with clock.measure("encode"):
            frame = make_frame(self._volume[z], self._geometry.pixel_height)
            [features] = self._engine.encode(frame.pixels[None])
        return EncodedSlice(features, frame.visible)


def _ascending(tracks: Sequence[_Track]) -> Iterator[tuple[int, list[_Track]]]:
    """Each slice with the objects that cross it on their way up from their middle, upward."""
    for z in range(min((t.middle for t in tracks), default=0), max((t.z_max for t in tracks), default=-1) + 1):
        if active := [track for track in tracks if track.middle <= z <= track.z_max]:
            yield z, active


def _descending(tracks: Sequence[_Track]) -> Iterator[tuple[int, list[_Track]]]:
    """Each slice with the objects that cross it on their way down from below their middle, downward."""
    for z in range(max((t.middle for t in tracks), default=0) - 1, min((t.z_min for t in tracks), default=0) - 1, -1):
        if active := [track for track in tracks if track.z_min <= z < track.middle]:
            yield z, active
