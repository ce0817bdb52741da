"""Grey levels as radiology makes them: windows, percentiles, and what is kept."""

from __future__ import annotations

import numpy as np
import pytest

from app.cases.intensities import WINDOWS, GreyScale, Window, parse_window
from app.errors import InputError

HOUNSFIELD = np.array([[-1000, -160, 40, 240, 1000]], np.int16)


def test_a_ct_is_windowed_by_name_by_numbers_or_as_an_abdomen() -> None:
    for scale, says in (
        (GreyScale(), "CT"),
        (GreyScale("CT"), None),
        (GreyScale("CT"), "MR"),
        (GreyScale(window=parse_window("abdomen")), None),
        (GreyScale("MR", parse_window("40,400")), "MR"),
    ):
        levels, note = scale.rule(says)(HOUNSFIELD)
        assert levels.tolist() == [[0, 0, 128, 255, 255]]
        assert note is None
    assert GreyScale(window=WINDOWS["lung"]).rule("CT")(HOUNSFIELD)[0].tolist() == [[60, 202, 236, 255, 255]]


@pytest.mark.parametrize("text", ["liver", "40", "40,0", "40,-1", "40,nan", "1,2,3", ""])
def test_windows_that_cannot_be_meant_are_an_error(text: str) -> None:
    with pytest.raises(InputError, match="expected one of abdomen, bone, brain, lung, mediastinum, or LEVEL,WIDTH"):
        parse_window(text)
    assert parse_window("-600,1500") == Window(-600, 1500)


def test_anything_else_goes_by_percentiles_of_what_is_not_0() -> None:
    values = np.concatenate([np.zeros(1000), np.arange(1, 202)]).reshape(1, -1)
    levels, note = GreyScale().rule("MR")(values)
    # of 1..201 the 0.5th percentile is 2, the 99.5th 200
    assert levels[0, [0, 1001, 1100, 1199, 1200]].tolist() == [0, 0, 128, 255, 255]
    assert note is None


def test_values_like_a_ct_of_no_known_modality_are_pointed_out() -> None:
    assert "for a CT give --modality CT or --window" in (GreyScale().rule(None)(HOUNSFIELD)[1] or "")


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        (np.full((2, 2), 7, np.int16), 0),
        (np.zeros((2, 2), np.float32), 0),
        (np.full((2, 2), -1e30), 0),
        (np.full((2, 2), 9, np.uint8), 9),
    ],
)
def test_a_constant_image_is_no_division_by_zero(values: np.ndarray, levels: int) -> None:  # type: ignore[type-arg]
    assert (GreyScale().rule(None)(values)[0] == levels).all()
    assert GreyScale("CT").rule(None)(values)[0].dtype == np.uint8


def test_a_mask_of_two_values_stays_one() -> None:
    assert GreyScale().rule(None)(np.array([[0, 900, 900]], np.uint16))[0].tolist() == [[0, 255, 255]]


def test_what_is_not_a_number_is_background_and_it_is_said() -> None:
    levels, note = GreyScale(window=Window(50, 100)).rule(None)(np.array([[np.nan, np.inf, 100.0, 50.0]], np.float32))
    assert levels.tolist() == [[0, 0, 255, 128]]
    assert note == "2 values are NaN or infinite, taken as background"


def test_an_npz_in_0_to_255_is_kept_whatever_is_asked() -> None:
    rule = GreyScale("CT").rule_for_npz()
    assert rule(np.array([[0, 40, 255]], np.int16))[0].tolist() == [[0, 40, 255]]
    assert rule(HOUNSFIELD)[0].tolist() == [[0, 0, 128, 255, 255]]
    assert "scaled linearly" in (GreyScale().rule_for_npz()(HOUNSFIELD)[1] or "")
