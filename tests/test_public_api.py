"""The Python API: its names, and its shape of loading once, setting once, segmenting many times."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import app
from app.errors import CaseError
from app.segment.segmenter import Segmenter
from tests.conftest import two_squares
from tests.fakes import ThresholdEngine

ROOT = Path(__file__).parents[1]
PUBLIC = [
    "Case", "CaseError", "Engine", "EngineInfo", "InputError", "OutputError", "PreparedImage", "PromptStyle",
    "Segmenter", "SwinliteError", "WeightsError", "__version__", "load_segmenter", "read_case", "write_segmentation",
]  # fmt: skip


def test_the_public_names_are_these_and_all_can_be_had() -> None:
    assert sorted(app.__all__) == PUBLIC
    assert sorted(dir(app)) == PUBLIC
    for name in PUBLIC:
        assert getattr(app, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = app.nothing


def test_every_room_is_installed() -> None:
    listed = re.findall(r'^    "(swinlite[a-z_.]*)",$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    rooms = {".".join(file.parent.relative_to(ROOT).parts) for file in (ROOT / "app").rglob("__init__.py")}
    assert {name.replace("swinlite", "app", 1) for name in listed} == rooms | {"app.shipped_weights"}


def test_a_picture_is_encoded_once_and_segmented_many_times(segmenter: Segmenter, engine: ThresholdEngine) -> None:
    picture = segmenter.set_image(two_squares())
    left = picture.segment(np.array([5, 5, 25, 25]))
    right = picture.segment(np.array([[35, 5, 55, 25]]))
    both = picture.segment(np.array([[5, 5, 25, 25], [35, 5, 55, 25]]))
    np.testing.assert_array_equal(both, left + 2 * right)
    assert engine.encoded == 1


def test_what_is_assumed_is_a_warning_and_what_is_wrong_an_error(segmenter: Segmenter) -> None:
    with pytest.warns(UserWarning, match="multiplied by 255"):
        picture = segmenter.set_image(two_squares() / 255)
    with pytest.warns(UserWarning, match="corners were swapped"):
        picture.segment(np.array([[25, 5, 5, 25]]))
    with pytest.raises(CaseError, match=r"expected \(N, 4\)"):
        picture.segment(np.array([[1, 2, 0, 3, 4, 0]]))
    with pytest.raises(CaseError, match="for a volume"):
        segmenter.set_volume(np.zeros((4, 4)))
    assert picture.segment(np.zeros((0, 4))).shape == (48, 64)
