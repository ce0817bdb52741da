"""Arrays of the shapes and types that people have, made into a case."""

from __future__ import annotations

import numpy as np

from ..arrays import AnyArray, ByteArray, IntArray
from ..errors import CaseError
from .boxes import fit_boxes
from .case import Case
from .intensities import GreyRule, to_grey_levels

_CHANNELS = (1, 3, 4)


def make_case(
    name: str, imgs: AnyArray, boxes: IntArray, volume: bool | None = None, grey: GreyRule = to_grey_levels
) -> Case:
    """Put an image and its boxes, (N, 4) or (N, 6) int64, together.

    volume: whether it is one; None where the boxes decide, not the name. Raises CaseError.
    """
    if volume is None:
        volume = is_volume(imgs, boxes, name)
    if len(boxes) == 0:
        boxes = np.zeros((0, 6 if volume else 4), np.int64)
    image, note = as_volume(imgs, grey) if volume else as_picture(imgs, grey)
    fitted, inside, box_notes = fit_boxes(boxes, extent_of(image, volume))
    notes = [text for text in (_name_note(name, volume), note) if text]
    return Case(name, np.ascontiguousarray(image), fitted, inside, (*notes, *box_notes))


def as_picture(imgs: AnyArray, grey: GreyRule = to_grey_levels) -> tuple[ByteArray, str | None]:
    """(H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of any number type to uint8 (H, W) or (H, W, 3), with a note."""
    if not _looks_like(imgs, spatial_axes=2):
        raise CaseError(f"imgs has shape {imgs.shape}, expected (H, W) or (H, W, 3) for a picture")
    return grey(_without_opacity(imgs, spatial_axes=2))


def as_volume(imgs: AnyArray, grey: GreyRule = to_grey_levels) -> tuple[ByteArray, str | None]:
    """(D, H, W), (D, H, W, 1), (D, H, W, 3) or (D, H, W, 4) of any number type to uint8 likewise, with a note."""
    if not _looks_like(imgs, spatial_axes=3):
        raise CaseError(f"imgs has shape {imgs.shape}, expected (D, H, W) or (D, H, W, 3) for a volume")
    return grey(_without_opacity(imgs, spatial_axes=3))


def extent_of(image: ByteArray, volume: bool) -> tuple[int, ...]:
    """(W, H) of a picture, (W, H, D) of a volume: the axes in the order in which boxes name them."""
    return image.shape[2:0:-1] + image.shape[:1] if volume else image.shape[1::-1]


def _looks_like(imgs: AnyArray, spatial_axes: int) -> bool:
    channels = imgs.ndim == spatial_axes + 1 and imgs.shape[-1] in _CHANNELS
    return imgs.size > 0 and (imgs.ndim == spatial_axes or channels)


def is_volume(imgs: AnyArray, boxes: IntArray, name: str) -> bool:
    """Boxes of six numbers mean a volume; without boxes the shape decides, and in doubt the name."""
    picture_like, volume_like = _looks_like(imgs, 2), _looks_like(imgs, 3)
    if not picture_like and not volume_like:
        raise CaseError(f"imgs has shape {imgs.shape}, expected (H, W), (H, W, 3), (D, H, W) or (D, H, W, 3)")
    if len(boxes) == 0:
        return volume_like and (not picture_like or name.startswith("3D"))
    volume = boxes.shape[1] == 6
    if volume and not volume_like:
        raise CaseError(f"boxes of six numbers need a volume (D, H, W), found imgs of shape {imgs.shape}")
    if not volume and not picture_like:
        raise CaseError(
            f"imgs of shape {imgs.shape} is a volume, which needs boxes of six numbers (N, 6) with z_min and z_max; "
            f"found boxes of shape {boxes.shape}"
        )
    return volume


def _without_opacity(imgs: AnyArray, spatial_axes: int) -> AnyArray:
    """Grey stays grey, a single channel is squeezed out, a fourth (opacity) is dropped."""
    if imgs.ndim == spatial_axes:
        return imgs
    return imgs[..., 0] if imgs.shape[-1] == 1 else imgs[..., :3]


def _name_note(name: str, volume: bool) -> str | None:
    if volume and name.startswith("2D"):
        return "the name says 2D, the contents are a volume and treated as one"
    if not volume and name.startswith("3D"):
        return "the name says 3D, the contents are a picture and treated as one"
    return None
