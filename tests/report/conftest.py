"""A run of the fake engine over a small picture and a small volume, both with truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from app.segment.segmenter import Segmenter
from tests.conftest import CaseWriter, two_squares
from tests.fakes import ThresholdEngine

EVIL = "2D_<script>alert(1)<&'\"_1"


@dataclass(frozen=True)
class Run:
    """Folders of one run, and the engine that heard its prompts."""

    cases: Path
    outputs: Path
    engine: ThresholdEngine


@pytest.fixture
def run(write_case: CaseWriter, tmp_path: Path, engine: ThresholdEngine, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("app.segment.segmenter.load_segmenter", lambda *_, style, **__: Segmenter(engine, style))
    truth = np.zeros((48, 64), np.uint8)
    truth[10:22, 10:22], truth[10:22, 40:46] = 1, 2
    boxes = np.array([[5, 5, 25, 25], [35, 5, 55, 25]])
    write_case(EVIL, boxes=boxes, gts=truth)
    write_case("2DBox_US_0002", boxes=boxes[:1], gts=np.where(truth == 1, truth, 0))
    volume = np.repeat(two_squares()[None, ..., 0], 6, axis=0)
    volume_truth = np.zeros(volume.shape, np.uint8)
    volume_truth[1:5, 10:22, 10:16] = 1
    box = np.array([[5, 5, 1, 25, 25, 4]])
    write_case("3DBox_CT_0003", imgs=volume, boxes=box, gts=volume_truth, spacing=np.ones(3))
    outputs = tmp_path / "out"
    timing = outputs / "timing.csv"
    assert main(["predict", "-q", "-i", str(tmp_path / "in"), "-o", str(outputs), "--timing", str(timing)]) == 0
    return Run(tmp_path / "in", outputs, engine)
