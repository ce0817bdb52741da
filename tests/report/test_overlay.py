"""Overlays show the box, the prompts and the mask where they are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from app.cases.make_case import make_case
from app.report.overlay import SHEET_SLICES, OverlayRecorder
from app.segment.clock import StageClock
from app.segment.segmenter import Segmenter
from tests.conftest import two_squares

FIRST_COLOUR = (66, 228, 240)  # of object 1, blue, green, red


def draw(segmenter: Segmenter, name: str, imgs: np.ndarray, boxes: np.ndarray, path: Path) -> np.ndarray:  # type: ignore[type-arg]
    case = make_case(name, imgs, boxes)
    recorder = OverlayRecorder(case)
    labels = segmenter.segment_case(case, StageClock(), recorder)
    recorder.write(path, labels)
    drawn = cv2.imread(str(path))
    assert drawn is not None
    return drawn


def test_a_pictures_outline_runs_where_its_mask_ends(segmenter: Segmenter, tmp_path: Path) -> None:
    drawn = draw(segmenter, "2D", two_squares(), np.array([[5, 5, 25, 25]]), tmp_path / "a.png")
    assert drawn.shape == (480, 640, 3)  # 48 x 64 enlarged tenfold
    rows, columns = np.nonzero(np.all(drawn == FIRST_COLOUR, axis=-1))
    # the bright square covers pixels 10..21 both ways, and nothing is drawn outside the box
    assert 95 <= rows.min() <= 105
    assert 215 <= rows.max() <= 225
    assert 95 <= columns.min() <= 105
    assert 215 <= columns.max() <= 225
    white = np.all(drawn == 255, axis=-1)
    assert white[50, 60:240].mean() > 0.9  # the box's upper side


def test_a_volumes_sheet_shows_slices_that_boxes_reach(segmenter: Segmenter, tmp_path: Path) -> None:
    volume = np.repeat(two_squares()[None, ..., 0], 40, axis=0)
    drawn = draw(segmenter, "3D", volume, np.array([[5, 5, 3, 25, 25, 38]]), tmp_path / "b.png")
    assert drawn.shape == (3 * 240 + 2 * 6, 4 * 320 + 3 * 6, 3)
    panels = [drawn[i // 4 * 246 :, i % 4 * 326 :][:240, :320] for i in range(SHEET_SLICES)]
    assert all(np.all(panel == FIRST_COLOUR, axis=-1).any() for panel in panels)
