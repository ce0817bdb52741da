"""Draw docs/at_work.png: a phantom made of ellipses, segmented from boxes.

    python -m docs.at_work

The picture is ours, since no third-party picture is kept in the repository.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from app import Case, load_segmenter
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


def phantom() -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Grey picture (512, 512) uint8 and the organs' boxes (7, 4)."""
    picture = np.full((SIDE, SIDE), 6, np.float32)
    boxes = []
    for centre, axes, turn, grey in (BODY, *ORGANS.values()):
        mask = np.zeros((SIDE, SIDE), np.uint8)
        cv2.ellipse(mask, centre, axes, turn, 0, 360, 1, -1)
        picture[mask > 0] = grey
        x, y, width, height = cv2.boundingRect(mask)
        boxes.append([x - MARGIN, y - MARGIN, x + width + MARGIN, y + height + MARGIN])
    noise = np.random.default_rng(0).normal(0, 9, picture.shape).astype(np.float32)
    noise[picture < 10] = 0
    blurred = cv2.GaussianBlur(picture, (0, 0), 2.0) + cv2.GaussianBlur(noise, (0, 0), 1.0) * 2
    return np.clip(blurred, 0, 255).astype(np.uint8), np.array(boxes[1:])


def main() -> None:
    """Segment the phantom and write the picture beside this script."""
    picture, boxes = phantom()
    case = Case("phantom", picture, boxes, np.ones(len(boxes), bool))
    recorder = OverlayRecorder(case)
    labels = load_segmenter().segment_case(case, StageClock(), recorder)
    recorder.write(Path(__file__).with_name("at_work.png"), labels)


if __name__ == "__main__":
    main()
