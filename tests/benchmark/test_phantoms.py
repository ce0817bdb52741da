"""Synthetic cases: what is drawn is what the table of the suite says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.benchmark.looks import LOOKS
from app.benchmark.phantoms import CaseKind, write_case
from app.benchmark.standard import PUBLISHED, STANDARD
from app.cases.challenge import read_case, read_spacing


@pytest.mark.parametrize("look", LOOKS)
def test_a_picture_has_its_objects_inside_their_boxes(look: str, tmp_path: Path) -> None:
    path = write_case(CaseKind("2DBox_small", look, (96, 128), 3), tmp_path)
    case, gts = read_case(path), np.load(path)["gts"]
    assert case.notes == ()
    assert case.image.shape == (96, 128, 3)
    for label, (x0, y0, x1, y1) in enumerate(case.boxes.tolist(), start=1):
        mask = gts == label
        assert mask.any()
        assert mask[y0 : y1 + 1, x0 : x1 + 1].sum() == mask.sum()


def test_objects_of_a_volume_lie_on_the_slices_stated_and_every_time_alike(tmp_path: Path) -> None:
    kind = CaseKind("3DBox_small", "CT", (64, 80), 2, 9, ((1, 4), (3, 8)))
    path = write_case(kind, tmp_path)
    before, case, gts = path.read_bytes(), read_case(path), np.load(path)["gts"]
    assert case.boxes[:, [2, 5]].tolist() == [[1, 4], [3, 8]]
    for label, (z_min, z_max) in enumerate(kind.z_ranges, start=1):
        assert np.flatnonzero((gts == label).any(axis=(1, 2))).tolist() == list(range(z_min, z_max + 1))
    assert read_spacing(path) == (2.5, 0.8, 0.8)
    assert write_case(kind, tmp_path).read_bytes() == before


def test_the_suite_has_the_fourteen_cases_in_name_order() -> None:
    assert [kind.name for kind in STANDARD] == sorted(PUBLISHED)
    assert len(STANDARD) == 14


@pytest.mark.parametrize("kind", [kind for kind in STANDARD if kind.depth > 1], ids=lambda kind: kind.name)
def test_the_z_ranges_follow_from_the_published_seconds(kind: CaseKind) -> None:
    assert len(kind.z_ranges) == kind.objects
    assert all(0 <= z_min <= z_max < kind.depth for z_min, z_max in kind.z_ranges)
    views = 3 if kind.look == "PET" else 1
    slices = (PUBLISHED[kind.name].pytorch - 3.2) / 0.25 / views
    assert sum(z_max - z_min + 1 for z_min, z_max in kind.z_ranges) == pytest.approx(slices, abs=1)
