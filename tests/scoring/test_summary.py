"""Means by modality, their intervals and paired differences."""

from __future__ import annotations

import math

import pytest

from app.scoring.folders import CaseResult
from app.scoring.protocols import CaseScore
from app.scoring.summary import compare, summarise

NAN = float("nan")


def results(**modalities: list[float]) -> list[CaseResult]:
    """A case a number, which is its DSC; NSD is half of it."""
    return [
        CaseResult(f"{modality}{i}", modality.replace("_", " "), CaseScore((), value, value / 2), None)
        for modality, values in modalities.items()
        for i, value in enumerate(values)
    ]


def test_each_modality_counts_once_and_volumes_come_last() -> None:
    rows = summarise(results(**{"3D_CT": [0.6]}, US=[0.2, 0.4, 0.6, 0.8], CT=[1.0, 1.0]))
    assert [(row.modality, row.cases) for row in rows] == [("CT", 2), ("US", 4), ("3D CT", 1), ("mean", 7)]
    assert [row.dsc.mean for row in rows] == pytest.approx([1.0, 0.5, 0.6, 0.7])
    assert [row.nsd.mean for row in rows] == pytest.approx([0.5, 0.25, 0.3, 0.35])
    assert (rows[0].dsc.low, rows[0].dsc.high) == (1, 1)
    assert 0.2 < rows[1].dsc.low < 0.5 < rows[1].dsc.high < 0.8
    assert rows == summarise(results(**{"3D_CT": [0.6]}, US=[0.2, 0.4, 0.6, 0.8], CT=[1.0, 1.0]))


def test_the_interval_is_that_of_a_mean_of_many_cases() -> None:
    [row, _] = summarise(results(CT=[0.0, 1.0] * 200))
    half_width = 1.96 * 0.5 / math.sqrt(400)
    assert (row.dsc.low, row.dsc.high) == pytest.approx((0.5 - half_width, 0.5 + half_width), abs=0.005)


def test_a_case_without_a_number_is_left_out_of_that_mean() -> None:
    rows = summarise(results(CT=[0.4, NAN, 0.6], US=[NAN]))
    assert [row.cases for row in rows] == [3, 1, 4]
    assert (rows[0].dsc.mean, rows[-1].dsc.mean) == pytest.approx((0.5, 0.5))
    assert math.isnan(rows[1].dsc.mean)
    assert math.isnan(rows[1].dsc.high)
    assert summarise([CaseResult("a", "CT", None, "no truth")]) == []


def test_differences_are_paired_case_by_case() -> None:
    before = results(CT=[0.1, 0.5, 0.9, NAN])
    after = [case for case in results(CT=[0.2, 0.6, 1.0, 0.5]) if case.name != "CT0"]
    [row, mean] = compare(after, before)
    assert (row.cases, mean.cases) == (3, 3)
    assert (row.dsc.mean, row.dsc.low, row.dsc.high) == pytest.approx((0.1, 0.1, 0.1))
