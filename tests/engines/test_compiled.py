"""Compiled graphs are kept for one processor and give the same numbers when they are read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.arrays import FloatArray
from app.engines import compiled
from app.engines.compiled import compiled_graphs
from app.engines.graphs import Graphs
from app.engines.openvino_runtime import openvino
from app.weights.manifest import WeightsFile

WEIGHTS = WeightsFile("mine", Path("mine.safetensors"), "0123456789abcdef" * 4)
X = np.array([0.1, 0.2, 0.3], np.float32)


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[WeightsFile]:
    """Models that were compiled while the test runs, with a network that doubles numbers in place of a real one."""
    calls: list[WeightsFile] = []

    def load(weights: WeightsFile) -> Graphs:
        calls.append(weights)
        x = openvino.opset13.parameter([3], np.float32)
        double = openvino.Model([openvino.opset13.add(x, x)], [x])
        return Graphs("litemedsam", False, double, double, double)

    monkeypatch.setattr(compiled, "load_graphs", load)
    monkeypatch.setenv("SWINLITE_CACHE", str(tmp_path / "cache"))
    return calls


def doubled() -> FloatArray:
    graphs = compiled_graphs(WEIGHTS, "float32", 1)
    assert (graphs.architecture, graphs.reads_points_and_scribble) == ("litemedsam", False)
    assert graphs.decode.precision == "float32"
    return np.array(graphs.encode.run(X)[0].data)


def test_a_model_is_compiled_once_for_a_processor(
    loaded: list[WeightsFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.testing.assert_array_equal(doubled(), 2 * X)
    np.testing.assert_array_equal(doubled(), 2 * X)
    assert len(loaded) == 1
    another = tmp_path / "cpuinfo"
    another.write_text("model name : another\n")
    monkeypatch.setattr(compiled, "PROCESSOR", another)
    doubled()
    assert len(loaded) == 2
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_what_is_damaged_is_compiled_again(loaded: list[WeightsFile], tmp_path: Path) -> None:
    doubled()
    [folder] = (tmp_path / "cache").iterdir()
    (folder / "decode").write_bytes((folder / "decode").read_bytes() + b"0")
    np.testing.assert_array_equal(doubled(), 2 * X)
    doubled()
    assert len(loaded) == 2
    (folder / "facts.json").write_text("{}")
    np.testing.assert_array_equal(doubled(), 2 * X)
    assert len(loaded) == 3


def test_a_processor_that_is_not_known_keeps_nothing(
    loaded: list[WeightsFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "PROCESSOR", tmp_path / "none")
    doubled()
    assert not (tmp_path / "cache").exists()
