"""A PNG that shows a case: image, boxes, points, scribbles and the outlines of the masks.

A picture fills one panel; a volume becomes a contact sheet of evenly spaced slices that hold objects.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..arrays import BoolArray, ByteArray, LabelArray
from ..cases.atomic import write_atomically
from ..cases.case import Case
from ..frame import Geometry
from ..prompts.prompt import Prompt

SHEET_SLICES = 12
SHEET_COLUMNS = 4
PICTURE_SIDES = 640, 1600  # smallest and largest longest side of a picture's panel, pixels
PANEL_SIDE = 320  # longest side of a volume's panel, pixels
GAP = 6

# Okabe and Ito's colours, told apart by colour-blind eyes too; OpenCV's order blue, green, red.
_COLOURS = (
    (66, 228, 240),
    (233, 180, 86),
    (0, 159, 230),
    (115, 158, 0),
    (167, 121, 204),
    (0, 94, 213),
    (178, 114, 0),
)


class OverlayRecorder:
    """Listens to the prompts of one case while it is segmented and draws them afterwards."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._prompts: dict[int, list[Prompt]] = {z: [] for z in slices_to_show(case, SHEET_SLICES)}

    def __call__(self, prompt: Prompt) -> None:
        if prompt.slice_index in self._prompts:
            self._prompts[prompt.slice_index].append(prompt)

    def write(self, path: Path, labels: LabelArray) -> None:
        """Draw the case with its label map (H, W) or (D, H, W) and write a PNG, atomically. Raises OSError."""
        picture = self._sheet(labels) if self._case.is_volume else self._panel(0, self._case.image, labels, None)
        with write_atomically(path) as file:
            file.write(cv2.imencode(".png", picture)[1].tobytes())

    def _sheet(self, labels: LabelArray) -> ByteArray:
        panels = [self._panel(z, self._case.image[z], labels[z], f"slice {z}") for z in self._prompts]
        height, width = panels[0].shape[:2]
        columns = min(SHEET_COLUMNS, len(panels))
        rows = -(-len(panels) // columns)
        sheet = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), 255, np.uint8)
        for i, panel in enumerate(panels):
            top, left = i // columns * (height + GAP), i % columns * (width + GAP)
            sheet[top : top + height, left : left + width] = panel
        return sheet

    def _panel(self, z: int, image: ByteArray, labels: LabelArray, caption: str | None) -> ByteArray:
        longest = max(image.shape[:2])
        side = PANEL_SIDE if self._case.is_volume else min(max(longest, PICTURE_SIDES[0]), PICTURE_SIDES[1])
        canvas = resized_bgr(image, side / longest)
        line = max(1, side // 500)
        for prompt in self._prompts[z]:
            _draw_scribble(canvas, prompt, Geometry(*image.shape[:2]))
        for label in np.unique(labels[labels > 0]).tolist():
            _draw_outline(canvas, labels == label, _COLOURS[(label - 1) % len(_COLOURS)], 2 * line)
        for prompt in self._prompts[z]:
            _draw_box_and_points(canvas, prompt, side, line)
        if caption:
            _draw_text(canvas, caption, (4, canvas.shape[0] - 6))
        return canvas


def reached_slices(case: Case) -> list[int]:
    """Slices that boxes reach, the middle one where none does; of a picture 0."""
    if not case.is_volume:
        return [0]
    reached = {z for box in case.boxes[case.inside] for z in range(int(box[2]), int(box[5]) + 1)}
    return sorted(reached) or [case.slices // 2]


def slices_to_show(case: Case, at_most: int) -> list[int]:
    """Evenly spaced slices of those that boxes reach."""
    reached = reached_slices(case)
    chosen = np.linspace(0, len(reached) - 1, min(at_most, len(reached)))
    return [reached[round(i)] for i in chosen.tolist()]


def resized_bgr(image: ByteArray, factor: float) -> ByteArray:
    """(H, W) or (H, W, 3) in red, green, blue to OpenCV's order, both sides times the factor."""
    height, width = (max(round(n * factor), 1) for n in image.shape[:2])
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(image, (width, height), interpolation=how)
    to_bgr = cv2.COLOR_GRAY2BGR if resized.ndim == 2 else cv2.COLOR_RGB2BGR
    return np.asarray(cv2.cvtColor(resized, to_bgr), np.uint8)


def _draw_outline(canvas: ByteArray, mask: BoolArray, colour: tuple[int, int, int], line: int) -> None:
    height, width = canvas.shape[:2]
    large = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    outlines, _ = cv2.findContours(large, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(canvas, outlines, -1, (0, 0, 0), line + 2, cv2.LINE_AA)
    cv2.drawContours(canvas, outlines, -1, colour, line, cv2.LINE_AA)


def _draw_scribble(canvas: ByteArray, prompt: Prompt, geometry: Geometry) -> None:
    if prompt.scribble is None:
        return
    height, width = canvas.shape[:2]
    rows, columns = geometry.resized
    inside_frame = prompt.scribble[:rows, :columns].astype(np.uint8)
    stroke = cv2.resize(inside_frame, (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)
    colour = np.array(_colour(prompt), np.float64)
    canvas[stroke] = (0.45 * canvas[stroke] + 0.55 * colour).astype(np.uint8)


def _draw_box_and_points(canvas: ByteArray, prompt: Prompt, side: int, line: int) -> None:
    factor = side / 256  # frame pixels to panel pixels
    x0, y0, x1, y1 = (round(float(v) * factor) for v in prompt.box)
    cv2.rectangle(canvas, (x0, y0), (x1, y1), (0, 0, 0), line + 2)
    cv2.rectangle(canvas, (x0, y0), (x1, y1), (255, 255, 255), line)
    for x, y in prompt.points if prompt.points is not None else ():
        centre = round((float(x) + 0.5) * factor), round((float(y) + 0.5) * factor)
        cv2.circle(canvas, centre, 3 * line + 1, (0, 0, 0), -1, cv2.LINE_AA)
        cv2.circle(canvas, centre, 3 * line, _colour(prompt), -1, cv2.LINE_AA)
    if x1 - x0 > 24 and y1 - y0 > 24:
        _draw_text(canvas, str(prompt.label), (x0 + 4, y0 + 14 * max(1, side // 640)))


def _draw_text(canvas: ByteArray, text: str, at: tuple[int, int]) -> None:
    line = max(1, max(canvas.shape) // 640)
    for colour, thickness in (((0, 0, 0), 3 * line), ((255, 255, 255), line)):
        cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45 * line, colour, thickness, cv2.LINE_AA)


def _colour(prompt: Prompt) -> tuple[int, int, int]:
    return _COLOURS[(prompt.label - 1) % len(_COLOURS)]
