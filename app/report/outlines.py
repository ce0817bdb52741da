"""Masks as SVG paths: a few numbers instead of pixels, crisp at any size, to be shown or hidden in the page."""

from __future__ import annotations

import cv2
import numpy as np
from scipy import ndimage

from ..arrays import AnyArray, BoolArray, FloatArray, IntArray, LabelArray
from ..frame import SIDE

UNITS = 1000  # longest side of every picture in the page's drawings
_FINEST = 512  # pixels of the longest side; smaller pictures are enlarged, lest outlines lie inside their masks

# Labels, each with an SVG path.
Shapes = list[tuple[int, str]]


def outlines(labels: LabelArray, tolerance: float) -> Shapes:
    """Outlines of each label of (H, W), true to `tolerance` units."""
    enlargement = -(-_FINEST // max(labels.shape))
    unit = UNITS / (max(labels.shape) * enlargement)  # units an enlarged pixel
    shapes: Shapes = []
    for label, window in enumerate(ndimage.find_objects(labels), start=1):
        if window is not None:
            corner = window[1].start * enlargement, window[0].start * enlargement
            contours = _contours(labels[window] == label, corner, enlargement, tolerance / unit)
            shapes.append((label, "".join(_closed_path((contour + 0.5) * unit) for contour in contours)))
    return shapes


def _contours(mask: BoolArray, corner: tuple[int, int], enlargement: int, tolerance: float) -> list[AnyArray]:
    """Corners (n, 2) as (x, y) of each contour of an enlarged mask, whose upper left pixel is `corner`."""
    large = mask.astype(np.uint8).repeat(enlargement, axis=0).repeat(enlargement, axis=1)
    contours, _ = cv2.findContours(large, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE, offset=corner)
    return [cv2.approxPolyDP(contour, tolerance, True)[:, 0] for contour in contours]


def _closed_path(points: AnyArray) -> str:
    """Through (n, 2) points; steps from one to the next are shorter than places. A single point is drawn as a dot."""
    whole = np.rint(points).astype(np.int64)
    steps = np.diff(whole, axis=0, prepend=whole[:1])
    return f"M{whole[0, 0]} {whole[0, 1]}l{' '.join(f'{x} {y}' for x, y in steps.tolist())}z"


def box_path(box: IntArray, longest: int) -> str:
    """Box (4,), x_min, y_min, x_max, y_max in pixels of a picture of that longest side."""
    x0, y0, x1, y1 = np.rint(box * (UNITS / longest)).astype(np.int64).tolist()
    return f"M{x0} {y0}H{x1}V{y1}H{x0}z"


def points_path(points: FloatArray) -> str:
    """Dots at the centres of the frame's pixels (n, 2)."""
    centres = np.rint((points + 0.5) * (UNITS / SIDE)).astype(np.int64)
    return "".join(f"M{x} {y}h0" for x, y in centres.tolist())
