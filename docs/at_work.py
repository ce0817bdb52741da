"""Draw docs/at_work.png: a phantom made of ellipses, segmented from boxes.

    python -m docs.at_work

The picture is ours, since no third-party picture is kept in the repository.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from app import Case, load_segmenter
from app.arrays import ByteArray, IntArray
from app.report.overlay import OverlayRecorder
from app.segment.clock import StageClock

SIDE = 512
# centre (x, y), half axes, turn in degrees, grey level: of an abdomen seen from below
BODY = ((256, 262), (226, 168), 0, 92)
ORGANS = {
    "liver": ((158, 218), (98, 82), -24, 128),
    "stomach": ((330, 178), (66, 42), 28, 70),
    "spleen": ((418, 262), (34, 66), 14, 138),
    "right kidney": ((168, 338), (34, 46), -20, 158),
    "left kidney": ((350, 338), (34, 46), 20, 158),
    "vertebra": ((258, 356), (38, 32), 0, 226),
    "aorta": ((276, 298), (17, 17), 0, 176),
}
MARGIN = 4  # pixels by which the boxes are loose


def phantom(seed: int = 0, noise: float = 9, size: float = 1) -> tuple[ByteArray, ByteArray]:
    """Grey picture (512, 512) uint8, and the label map of its organs, whose half axes are multiplied by `size`."""
    picture = np.full((SIDE, SIDE), 6, np.float32)
    labels = np.zeros((SIDE, SIDE), np.uint8)
    cv2.ellipse(picture, *BODY[:3], 0, 360, BODY[3], -1)
    for label, (centre, (across, down), turn, grey) in enumerate(ORGANS.values(), start=1):
        axes = round(across * size), round(down * size)
        cv2.ellipse(picture, centre, axes, turn, 0, 360, grey, -1)
        cv2.ellipse(labels, centre, axes, turn, 0, 360, label, -1)
    grain = np.random.default_rng(seed).normal(0, noise, picture.shape).astype(np.float32)
    grain[picture < 10] = 0
    blurred = cv2.GaussianBlur(picture, (0, 0), 2.0) + cv2.GaussianBlur(grain, (0, 0), 1.0) * 2
    return np.clip(blurred, 0, 255).astype(np.uint8), labels


def loose_boxes(labels: ByteArray) -> IntArray:
    """Boxes (N, 4) of the organs of a label map, a margin wider on every side."""
    around = [cv2.boundingRect((labels == label).astype(np.uint8)) for label in range(1, len(ORGANS) + 1)]
    return np.array([[x - MARGIN, y - MARGIN, x + w + MARGIN, y + h + MARGIN] for x, y, w, h in around])


def main() -> None:
    """Segment the phantom and write the picture beside this script."""
    picture, labels = phantom()
    boxes = loose_boxes(labels)
    case = Case("phantom", picture, boxes, np.ones(len(boxes), bool))
    recorder = OverlayRecorder(case)
    found = load_segmenter().segment_case(case, StageClock(), recorder)
    recorder.write(Path(__file__).with_name("at_work.png"), found)


if __name__ == "__main__":
    main()
