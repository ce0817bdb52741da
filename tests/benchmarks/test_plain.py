"""What is compared in speed must do the same work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from app.benchmark.phantoms import write_case
from app.cases.challenge import read_case
from app.scoring.metrics import mean_dice
from app.segment.clock import StageClock
from app.segment.segmenter import load_segmenter
from benchmarks.cases import KINDS
from benchmarks.plain import PlainPath, load_model
from benchmarks.weights import write_made_up_weights


def test_the_plain_path_finds_the_same_masks_in_a_volume(tmp_path: Path) -> None:
    weights = tmp_path / "made_up.safetensors"
    write_made_up_weights(weights)
    kind = replace(KINDS[0], name="3DBox_small", side=(96, 128), objects=1, depth=2)
    case = read_case(write_case(kind, tmp_path))
    assert case.image.shape == (2, 96, 128)
    assert case.notes == ()
    plain = PlainPath(load_model(weights), case).segment()
    ours = load_segmenter(weights=weights, engine="torch").segment_case(case, StageClock())
    assert set(np.unique(plain)) == {0, 1}
    assert mean_dice(plain, ours) > 0.999
