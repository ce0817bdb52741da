"""Graphs are made once, kept where that is possible, and never half written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from app.engines import graphs
from app.engines.graphs import Graphs, cache_folder, graphs_name, load_graphs
from app.engines.openvino_runtime import openvino
from app.errors import WeightsError
from app.weights.manifest import Manifest, WeightsFile
from tests.conftest import CaseWriter

ROOT = Path(__file__).parents[2]
WEIGHTS = WeightsFile("mine", Path("mine.safetensors"), "0123456789abcdef" * 4)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[WeightsFile]:
    """What graphs are made of while the test runs, with a network that doubles a number in place of a real one."""
    calls: list[WeightsFile] = []

    def make(weights: WeightsFile) -> Graphs:
        calls.append(weights)
        x = openvino.opset13.parameter([1], np.float32)
        double = openvino.Model([openvino.opset13.multiply(x, np.array([2], np.float32))], [x])
        return Graphs("litemedsam", False, double, double, double)

    monkeypatch.setattr(graphs, "make_graphs", make)
    monkeypatch.setattr(graphs, "shipped_folder", lambda: tmp_path / "shipped")
    monkeypatch.setenv("SWINLITE_CACHE", str(tmp_path / "cache"))
    return calls


def test_graphs_are_made_once(made: list[WeightsFile], tmp_path: Path) -> None:
    load_graphs(WEIGHTS)
    again = load_graphs(WEIGHTS)
    assert made == [WEIGHTS]
    assert (again.architecture, again.reads_points_and_scribble) == ("litemedsam", False)
    assert again.encode.inputs[0].partial_shape == openvino.PartialShape([1])
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [graphs_name(WEIGHTS)]
    # What an image brings is found too.
    (tmp_path / "cache").rename(tmp_path / "shipped")
    load_graphs(WEIGHTS)
    assert made == [WEIGHTS]


def test_a_cache_that_cannot_be_written_is_no_error(
    made: list[WeightsFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SWINLITE_CACHE", str(tmp_path / "file" / "cache"))
    assert load_graphs(WEIGHTS).architecture == "litemedsam"


def test_graphs_that_cannot_be_written_whole_leave_nothing(
    made: list[WeightsFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_full(*_: object, **__: object) -> None:
        raise RuntimeError("cannot write")

    monkeypatch.setattr(openvino, "save_model", disk_full)
    load_graphs(WEIGHTS)
    assert list((tmp_path / "cache").iterdir()) == []


def test_damaged_graphs_are_named(made: list[WeightsFile], tmp_path: Path) -> None:
    load_graphs(WEIGHTS)
    folder = tmp_path / "cache" / graphs_name(WEIGHTS)
    (folder / "decode.xml").write_text("<net")
    with pytest.raises(WeightsError, match=rf"{folder.name}: holds no whole set of graphs .*; delete the folder"):
        load_graphs(WEIGHTS)
    (folder / "facts.json").write_text(json.dumps({"another": "version"}))
    with pytest.raises(WeightsError, match="delete the folder"):
        load_graphs(WEIGHTS)


def flip_last_bit(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def test_one_altered_bit_that_openvino_would_read_is_named(made: list[WeightsFile], tmp_path: Path) -> None:
    load_graphs(WEIGHTS)
    altered = tmp_path / "cache" / graphs_name(WEIGHTS) / "encode.bin"
    openvino.Core().read_model(altered.with_suffix(".xml"))
    flip_last_bit(altered)
    openvino.Core().read_model(altered.with_suffix(".xml"))
    with pytest.raises(WeightsError, match=r"encode\.bin: not what was written, by sha256"):
        load_graphs(WEIGHTS)


def test_verify_names_altered_graphs_and_ends_with_2(
    made: list[WeightsFile], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = Manifest.read().weights(None)
    load_graphs(weights)
    assert main(["weights", "verify"]) == 0
    assert f"{weights.name}: as it was made: {tmp_path}" in capsys.readouterr().out
    flip_last_bit(tmp_path / "cache" / graphs_name(weights) / "tokens.bin")
    assert main(["weights", "verify"]) == 2
    assert "tokens.bin: not what was written, by sha256" in capsys.readouterr().err


def test_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWINLITE_CACHE", "")
    assert cache_folder() is None
    monkeypatch.delenv("SWINLITE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    assert cache_folder() == Path("/c/swinlite")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/h")
    assert cache_folder() == Path("/h/.cache/swinlite")


def run(folder: Path, cache: Path, program: str) -> subprocess.CompletedProcess[str]:
    """Predict in a process of its own with a home of its own, then run `program`."""
    command = ["predict", "-i", str(folder / "in"), "-o", str(folder / "out"), "--engine", "openvino"]
    return subprocess.run(
        [sys.executable, "-c", program.replace("PREDICT", f"code = main({command!r})")],
        env=os.environ | {"HOME": str(folder), "SWINLITE_CACHE": str(cache)},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_torch_and_telemetry_are_not_imported_once_there_are_graphs(
    write_case: CaseWriter, tmp_path: Path, cache: Path
) -> None:
    write_case("a")
    program = "import sys; from app.cli import main; PREDICT; print(code, 'torch' in sys.modules)"
    assert run(tmp_path, cache, program).stdout.startswith("0 ")
    program = "import sys; from app.cli import main; PREDICT; print(code, {m.partition('.')[0] for m in sys.modules})"
    done = run(tmp_path, cache, program)
    assert done.stdout.startswith("0 ")
    assert "'openvino'" in done.stdout
    assert "'torch'" not in done.stdout
    # OpenVINO's telemetry would leave a folder here.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


def test_without_graphs_and_torch_the_error_says_what_to_do(write_case: CaseWriter, tmp_path: Path) -> None:
    write_case("a")
    program = "import sys; sys.modules['torch'] = None; from app.cli import main; PREDICT; print(code)"
    done = run(tmp_path, tmp_path / "empty", program)
    assert done.stdout == "2\n"
    [line] = done.stderr.splitlines()
    assert "making them needs torch, which is not installed; install it" in line
