"""What is called with a fuzzed file: readers, and what their callers do next with what was read."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from app.cases.case import empty_labels
from app.cases.challenge import read_case, read_segmentation, read_spacing, read_truth
from app.cases.geometry import VolumeGeometry
from app.cases.given_boxes import PlacedBoxes, boxes_from_path
from app.cases.label_maps import read_label_map
from app.cases.limits import Limits
from app.cases.open_case import Request, open_case, save_labels
from app.cases.scan import Scan, Structure
from app.networks.models import build_unfilled
from app.report.recorded_run import read_run
from app.segment.strategy import read_strategy
from app.training.shards import read_pictures
from app.weights.load import read_checkpoint
from tests.orientations import AFFINE

from .seeds import PICTURE, SHAPE

_PICTURE = Scan("a", PICTURE)
_VOLUME = Scan("a", np.zeros(SHAPE, np.uint8), VolumeGeometry.from_affine(SHAPE, AFFINE))
_BOXED = Structure.numbered(1)
_LIMITS = Limits(decompressed=1 << 26, side=1 << 12)  # small, so that what gets round them is seen


def case_with_its_boxes(path: Path) -> None:
    """Opened, and an empty label map written of it."""
    _open_and_write(path, Request(limits=_LIMITS))


def case_with_a_box(path: Path) -> None:
    """The same with a box of our own."""
    _open_and_write(path, Request(boxes=_one_box, limits=_LIMITS))


def labels_of_a_picture(path: Path) -> None:
    """As the mask of a picture."""
    read_label_map(path, _PICTURE, _LIMITS)


def labels_of_a_volume(path: Path) -> None:
    """As the mask of a volume that lies where seeds lie."""
    read_label_map(path, _VOLUME, _LIMITS)


def boxes_of_a_picture(path: Path) -> None:
    """Read and placed."""
    boxes_from_path(path, _LIMITS)(_PICTURE)


def boxes_of_a_volume(path: Path) -> None:
    """Read and placed, also by millimetres."""
    boxes_from_path(path, _LIMITS)(_VOLUME)


def checkpoint(path: Path) -> None:
    """Its tensors in the place of a whole network's of zeros, so that shapes and values are looked at too."""
    read_checkpoint(path, _zeros())


def pictures(path: Path) -> None:
    """Every training picture."""
    for _ in read_pictures([path]):
        pass


def _open_and_write(path: Path, request: Request) -> None:
    opened = open_case(path, request)
    output = path.with_name(f"out-{path.name}")
    try:
        save_labels(output, empty_labels(opened.scan.canonical_shape, 1), opened)
    finally:
        output.unlink(missing_ok=True)


def _one_box(scan: Scan) -> PlacedBoxes:
    corners = [0, 0, 3, 4] if scan.geometry is None else [0, 0, 0, 3, 4, 2]
    return np.array([corners]), (_BOXED,)


@cache
def _zeros() -> dict[str, Tensor]:
    state = build_unfilled("litemedsam").state_dict()
    return {name: torch.zeros(()).expand(tensor.shape) for name, tensor in state.items()}


CASE_FILE = (case_with_its_boxes, case_with_a_box, read_case, read_truth, read_segmentation, read_spacing)
PICTURE_FILE = (case_with_a_box, labels_of_a_picture)
VOLUME_FILE = (case_with_a_box, labels_of_a_volume)
LABEL_FILE = (labels_of_a_volume, read_segmentation)
BOX_FILE = (boxes_of_a_picture, boxes_of_a_volume)
STRATEGY_FILE = (read_strategy,)
RUN_REPORT = (read_run,)
CHECKPOINT = (checkpoint,)
SHARD = (pictures,)
