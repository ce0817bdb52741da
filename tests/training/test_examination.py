"""Examinations: real segmentation, real scores, and the table that a run leaves."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from app.cases.challenge import read_case
from app.errors import InputError
from app.scoring.protocols import score_honest
from app.segment.clock import StageClock
from app.segment.segmenter import load_segmenter
from app.training.examination import MARKS, Examination, Mark, Marks
from app.weights.load import load_weights
from tests.conftest import CaseWriter, two_squares


def test_marks_are_the_scores_of_label_maps_by_group(write_case: CaseWriter, tmp_path: Path) -> None:
    gts = np.zeros((48, 64), np.uint8)
    gts[10:22, 10:22] = 1
    paths = [write_case(name, gts=gts) for name in ("2DBox_US_0001", "2DBox_US_0002", "2DBox_CT_0001")]
    (tmp_path / "in" / "index.csv").write_text("case,dataset\n2DBox_US_0001,A\n2DBox_US_0002,B\n2DBox_CT_0001,A\n")
    marks = Examination([tmp_path / "in"], trained_on=frozenset("A")).mark(7, load_weights("litemedsam"))
    found = load_segmenter("litemedsam").segment_case(read_case(paths[0]), StageClock())
    score = score_honest(gts, found)
    assert score.dsc > 0.5
    values = {(mark.group, mark.measure): mark.value for mark in marks}
    for group in ("US", "CT", "seen", "unseen", "mean over modalities"):
        assert values[group, "dsc"] == pytest.approx(score.dsc)
        assert values[group, "nsd"] == pytest.approx(score.nsd)
    assert {mark.group: mark.cases for mark in marks} == {
        "US": 2, "CT": 1, "seen": 2, "unseen": 1, "mean over modalities": 3,
    }  # fmt: skip


def test_a_case_without_truth_cannot_be_examined(write_case: CaseWriter) -> None:
    with pytest.raises(InputError, match=r"2DBox_US_0001\.npz: has no gts"):
        Examination([write_case(imgs=two_squares())], frozenset())


def test_a_run_that_goes_on_adds_to_its_marks(tmp_path: Path) -> None:
    Marks(tmp_path).add([Mark(0, "teacher", "US", 3, "dsc", 0.5)])
    again = Marks(tmp_path)
    assert again
    again.add([Mark(9, "student", "US", 3, "dsc", 0.75)])
    with (tmp_path / MARKS).open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["step"], row["model"], row["value"]) for row in rows] == [
        ("0", "teacher", "0.5000"), ("9", "student", "0.7500"),
    ]  # fmt: skip
