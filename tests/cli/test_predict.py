"""`swinlite predict` as its user meets it: outputs, exit codes, messages."""

from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.cli import main
from app.engines.engine import Decoded, ImageFeatures
from app.prompts.prompt import Prompt
from app.prompts.rules import PromptStyle
from app.prompts.window import Windows
from app.segment.segmenter import Segmenter
from tests.conftest import CaseWriter, two_squares
from tests.fakes import ThresholdEngine

ROOT = Path(__file__).parents[2]
VOLUME = np.repeat(two_squares()[None, ..., 0], 6, axis=0)
BOX_3D = np.array([[5, 5, 1, 25, 25, 4], [35, 5, 0, 55, 25, 5]])


@pytest.fixture(autouse=True)
def fake_model(monkeypatch: pytest.MonkeyPatch) -> ThresholdEngine:
    """Commands run in this process compute with the fake engine."""
    engine = ThresholdEngine()
    monkeypatch.setattr(
        "app.segment.segmenter.load_segmenter",
        lambda *_, style, **__: Segmenter(engine, style),
    )
    return engine


def predict(*arguments: str | Path) -> int:
    return main(["predict", *map(str, arguments)])


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix == ".npz"}


def test_pictures_and_volumes_are_segmented(
    write_case: CaseWriter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_case("2DBox_US_0001", boxes=np.array([[5, 5, 25, 25], [35, 5, 55, 25]]))
    write_case("3DBox_CT_0001", imgs=VOLUME, boxes=BOX_3D)
    assert predict("-i", tmp_path / "in", "-o", tmp_path / "out") == 0
    picture = np.load(tmp_path / "out" / "2DBox_US_0001.npz")
    assert picture.files == ["segs"]
    expected = np.zeros((48, 64), np.uint8)
    expected[10:22, 10:22], expected[10:22, 40:52] = 1, 2
    np.testing.assert_array_equal(picture["segs"], expected)
    volume = np.load(tmp_path / "out" / "3DBox_CT_0001.npz")["segs"]
    assert [sorted(np.unique(plane)) for plane in volume] == [[0, 2], *[[0, 1, 2]] * 4, [0, 2]]
    said = capsys.readouterr()
    assert said.out == ""
    assert "model fake" in said.err
    assert "2 done, 0 skipped, 0 failed of 2" in said.err
    assert "\r" not in said.err


def test_a_bad_case_fails_alone_and_is_listed(
    write_case: CaseWriter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_case("a")
    write_case("b", boxes=np.array([[1, 2, np.nan, 4]]))
    (tmp_path / "in" / "c.npz").write_text("no archive")
    write_case("d")
    assert predict("-i", tmp_path / "in", "-o", tmp_path / "out") == 1
    assert list(outputs(tmp_path / "out")) == ["a.npz", "d.npz"]
    err = capsys.readouterr().err
    assert "2 done, 0 skipped, 2 failed of 4" in err
    closing = err.splitlines()[-2:]
    assert closing[0].startswith("swinlite: b.npz: box 1: x_max is nan")
    assert closing[1].startswith("swinlite: c.npz: is not an .npz file")
    assert "Traceback" not in err


def test_faults_inside_a_case_stay_there(
    write_case: CaseWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    faults: dict[str, BaseException] = {
        "b": MemoryError(),
        "c": OSError(28, "No space left on device"),
        "d": RuntimeError("surprise"),
    }
    for name in ("a", *faults, "e"):
        write_case(name)
    whole = Segmenter.segment_case

    def stumble(self: Segmenter, case: Any, *rest: Any, **more: Any) -> Any:
        if case.name in faults:
            raise faults[case.name]
        return whole(self, case, *rest, **more)

    monkeypatch.setattr(Segmenter, "segment_case", stumble)
    assert predict("-i", tmp_path / "in", "-o", tmp_path / "out") == 1
    assert list(outputs(tmp_path / "out")) == ["a.npz", "e.npz"]
    closing = capsys.readouterr().err.splitlines()[-3:]
    assert closing[0] == "swinlite: b.npz: not enough memory; free some, or split the case"
    assert "c.npz: no space left" in closing[1]
    assert "--skip-existing" in closing[1]
    assert "d.npz: unexpected RuntimeError: surprise" in closing[2]


def test_what_was_changed_in_a_case_is_said(
    write_case: CaseWriter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_case("a", boxes=np.array([[25, 5, 5, 25], [100, 100, 120, 120]]))
    assert predict("-i", tmp_path / "in", "-o", tmp_path / "out") == 0
    err = capsys.readouterr().err
    assert "a: box 1: corners were swapped, put in order" in err
    assert "a: box 2: lies wholly outside the image of 64 x 48, left empty" in err
    assert sorted(np.unique(np.load(tmp_path / "out" / "a.npz")["segs"])) == [0, 1]


@pytest.mark.parametrize("boxes", [np.zeros((0, 4)), np.array([[200, 200, 220, 220]])])
def test_no_object_gives_an_empty_map(write_case: CaseWriter, tmp_path: Path, boxes: Any) -> None:
    write_case("a", boxes=boxes)
    write_case("3Dvol", imgs=VOLUME, boxes=np.zeros((0, 6)))
    assert predict("-i", tmp_path / "in", "-o", tmp_path / "out") == 0
    assert not np.load(tmp_path / "out" / "a.npz")["segs"].any()
    assert np.load(tmp_path / "out" / "3Dvol.npz")["segs"].shape == VOLUME.shape


def test_a_one_slice_volume_is_segmented(write_case: CaseWriter, tmp_path: Path) -> None:
    write_case("3Done", imgs=VOLUME[:1], boxes=np.array([[5, 5, 0, 25, 25, 0]]))
    assert predict("-i", tmp_path / "in", "-o", tmp_path / "out") == 0
    assert np.load(tmp_path / "out" / "3Done.npz")["segs"].any()


def test_commands_that_cannot_be_run_end_with_2_before_any_work(
    write_case: CaseWriter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = write_case("a")
    out, empty, other = tmp_path / "out", tmp_path / "empty", tmp_path / "other"
    empty.mkdir()
    other.mkdir()
    (other / "a.npz").write_bytes(case.read_bytes())
    a_file = tmp_path / "file"
    a_file.touch()
    for arguments, message in (
        (("-i", empty, "-o", out), "no case (.npz"),
        (("-i", tmp_path / "gone", "-o", out), "gone: no such file or folder"),
        (("-i", case.parent, "-i", other, "-o", out), "two inputs are both called a:"),
        (("-i", case, "-o", case.parent), "writing here would overwrite the input"),
        (("-i", case, "-o", a_file / "out"), "--user"),
        (("-i", case), "Missing option '-o'"),
        (("-i", case, "-o", out, "--threads", "0"), "--threads"),
        (("-i", case, "-o", out, "--timing", tmp_path / "t.json"), "name it .csv"),
        (("-i", case, "-o", out, "--prompt-rule", "mine"), "--prompt-rule"),
    ):
        assert predict(*arguments) == 2
        err = capsys.readouterr().err
        assert message in err
        assert "Traceback" not in err
        assert not out.exists()


def test_many_files_may_follow_one_i_and_the_same_file_twice_is_once(write_case: CaseWriter, tmp_path: Path) -> None:
    cases = [write_case(name) for name in "abc"]
    assert predict("-i", *cases, cases[0], "-o", tmp_path / "out") == 0
    assert list(outputs(tmp_path / "out")) == ["a.npz", "b.npz", "c.npz"]


def test_skip_existing_leaves_finished_cases_alone(write_case: CaseWriter, tmp_path: Path) -> None:
    write_case("a")
    write_case("b")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.npz").write_bytes(b"finished before")
    assert predict("-i", tmp_path / "in", "-o", tmp_path / "out", "--skip-existing") == 0
    assert (tmp_path / "out" / "a.npz").read_bytes() == b"finished before"
    assert (tmp_path / "out" / "b.npz").exists()


def test_bytes_depend_on_no_other_file_nor_on_overlays(write_case: CaseWriter, tmp_path: Path) -> None:
    a = write_case("a", boxes=np.array([[5, 5, 25, 25], [35, 5, 55, 25]]))
    b = write_case("b", imgs=VOLUME, boxes=BOX_3D)
    assert predict("-i", a, b, "-o", tmp_path / "1") == 0
    assert predict("-i", b, a, "-o", tmp_path / "2", "--overlay", tmp_path / "png") == 0
    assert predict("-i", b, "-o", tmp_path / "3") == 0
    assert outputs(tmp_path / "1") == outputs(tmp_path / "2")
    assert outputs(tmp_path / "3")["b.npz"] == outputs(tmp_path / "1")["b.npz"]
    assert sorted(path.name for path in (tmp_path / "png").iterdir()) == ["a.png", "b.png"]


def test_an_interrupted_run_ends_with_130_and_keeps_what_is_done(
    write_case: CaseWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "abc":
        write_case(name)
    decode = ThresholdEngine.decode

    def interrupt(
        self: ThresholdEngine, features: ImageFeatures, prompts: Sequence[Prompt], windows: Windows
    ) -> Decoded:
        if self.encoded == 2:
            raise KeyboardInterrupt
        return decode(self, features, prompts, windows)

    monkeypatch.setattr(ThresholdEngine, "decode", interrupt)
    timing = tmp_path / "timing.csv"
    assert predict("-i", tmp_path / "in", "-o", tmp_path / "out", "--timing", timing) == 130
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.npz"]
    assert len(timing.read_text().splitlines()) == 2
    assert "--skip-existing goes on from here" in capsys.readouterr().err


def test_the_timing_table_and_the_run_report_say_what_ran(write_case: CaseWriter, tmp_path: Path) -> None:
    write_case("2DBox_US_0001")
    write_case("3DBox_CT_0001", imgs=VOLUME, boxes=BOX_3D)
    write_case("bad", boxes=np.array([[np.nan] * 4]))
    timing = tmp_path / "timing.csv"
    assert predict("-i", tmp_path / "in", "-o", tmp_path / "out", "--timing", timing, "-q") == 1
    with timing.open() as file:
        picture, volume = csv.DictReader(file)
    header = "CaseName RunningTime read encode prompt decode write slices objects encoder_calls peak_memory_mib"
    assert list(picture) == header.split()
    assert (picture["CaseName"], volume["CaseName"]) == ("2DBox_US_0001.npz", "3DBox_CT_0001.npz")
    assert (volume["slices"], volume["objects"], volume["encoder_calls"]) == ("6", "2", "6")
    stages = sum(float(volume[stage]) for stage in ("read", "encode", "prompt", "decode", "write"))
    assert 0 < stages <= float(volume["RunningTime"]) + 0.001
    report = json.loads((tmp_path / "timing.json").read_text())
    assert report["models"][0]["weights_sha256"] == "0" * 64
    assert report["models"][0]["precision"] == "float32"
    assert {"processor", "cores", "memory_gib", "system"} <= report["machine"].keys()
    assert report["versions"]["torch"]
    assert [case["outcome"] for case in report["cases"]] == ["done", "done", "failed"]
    assert report["settings"]["inputs"] == [str(tmp_path / "in")]
    assert report["cases"][1]["stages"]["encode"] == float(volume["encode"])


def test_the_run_report_names_the_prompts_that_the_model_heeds(
    write_case: CaseWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_case("a")
    monkeypatch.setattr(ThresholdEngine, "reads_points_and_scribble", False)
    assert predict("-i", tmp_path / "in", "-o", tmp_path / "out", "--timing", tmp_path / "timing.csv", "-q") == 0
    assert json.loads((tmp_path / "timing.json").read_text())["models"][0]["prompts"]["parts"] == "box"


def test_a_strategy_gives_each_modality_its_model_loaded_once_and_its_views(
    write_case: CaseWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load(model: str, *, style: PromptStyle, **_: Any) -> Segmenter:
        loaded.append(model)
        engine = ThresholdEngine()
        engine.info = replace(engine.info, model=model)
        return Segmenter(engine, style)

    monkeypatch.setattr("app.segment.segmenter.load_segmenter", load)
    for name in ("3DBox_CT_0001", "3DBox_PET_0001", "3DBox_PET_0002"):
        write_case(name, imgs=VOLUME, boxes=BOX_3D)
    strategy, timing = tmp_path / "strategy.json", tmp_path / "timing.csv"
    strategy.write_text('{"PET": {"model": "litemedsam", "views": "all"}, "CT": {"model": "litemedsam"}}')
    run = ("-i", tmp_path / "in", "-o", tmp_path / "out", "--timing", timing, "--strategy", strategy)
    assert predict(*run, "--modality-from-name") == 0
    assert loaded == ["litemedsam"]
    report = json.loads(timing.with_suffix(".json").read_text())
    assert report["settings"]["strategy"] == str(strategy)
    assert [case["views"] for case in report["cases"]] == ["axial", "all", "all"]
    with timing.open() as file:
        # axial: 6 slices; coronal: rows 5..25; sagittal: columns 5..25 and 35..55
        assert [row["encoder_calls"] for row in csv.DictReader(file)] == ["6", "69", "69"]
    assert predict(*run, "--modality", "ct") == 0
    assert [case["views"] for case in json.loads(timing.with_suffix(".json").read_text())["cases"]] == ["axial"] * 3


def test_a_strategy_that_cannot_be_followed_is_said_before_any_work(
    write_case: CaseWriter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_case("2DBox_US_0001")
    strategy, out = tmp_path / "strategy.json", tmp_path / "out"
    strategy.write_text('{"PET": {}}')
    for options, message in (
        (("--strategy", strategy), "either --modality NAME or --modality-from-name"),
        (("--strategy", strategy, "--modality", "PET", "--modality-from-name"), "either --modality NAME or"),
        (("--strategy", strategy, "--modality", "PET", "--views", "all"), "leave out --model, --weights and --views"),
        (("--modality-from-name",), "chooses from a --strategy"),
        (("--strategy", strategy, "--modality-from-name"), 'has no "US", of which 2DBox_US_0001.npz is'),
    ):
        assert predict("-i", tmp_path / "in", "-o", out, *options) == 2
        assert message in capsys.readouterr().err
        assert not out.exists()


def test_a_timing_table_that_cannot_be_written_is_said_after_the_work(
    write_case: CaseWriter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_case("a")
    (tmp_path / "timing.csv").mkdir()
    assert predict("-i", tmp_path / "in", "-o", tmp_path / "out", "--timing", tmp_path / "timing.csv") == 2
    assert "timing.csv: cannot be written: Is a directory; the label maps are whole" in capsys.readouterr().err
    assert (tmp_path / "out" / "a.npz").exists()


def test_quiet_prints_nothing_but_failures(
    write_case: CaseWriter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_case("a")
    assert predict("-i", tmp_path / "in", "-o", tmp_path / "out", "-q") == 0
    assert capsys.readouterr().err == ""


def test_help_and_version_import_nothing_heavy() -> None:
    program = (
        "import sys; from app.cli import main; main(['--help']); main(['--version']); main(['predict', '--help']);"
        "main(['evaluate', '--help']); main(['convert', '--help']); main(['report', '--help']);"
        "main(['benchmark', '--help']);"
        "print(*sorted(m for m in sys.modules if m.partition('.')[0] in {'app', 'torch', 'cv2', 'numpy', 'scipy',"
        "'einops', 'safetensors', 'openvino', 'jinja2', 'tifffile', 'nibabel', 'pydicom'}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    rooms = {".".join(module.split(".")[:2]) for module in done.stderr.split()}
    light = {"app.control_groups", "app.errors", "app.interrupts", "app.memory", "app.plain", "app.threads"}
    assert rooms == {"app", "app.cases", "app.cli", "app.prompts", *light}
    assert "app.cases.limits" in done.stderr
    assert "app.cases.open_case" not in done.stderr


def run_on_a_terminal(arguments: Sequence[str | Path]) -> tuple[int, str]:
    """Exit code and what the program writes to standard error when that is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *map(str, arguments)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=theirs
    )
    os.close(theirs)
    written = b""
    try:
        while block := os.read(ours, 4096):
            written += block
    except OSError:  # how Linux ends reading from a closed terminal
        pass
    os.close(ours)
    return process.wait(), written.decode()


def test_the_real_program_shows_a_bar_on_a_terminal(write_case: CaseWriter, tmp_path: Path) -> None:
    """End to end with the default model, in a process of its own."""
    write_case("2DBox_US_0001", boxes=np.array([[8, 8, 24, 24]]))
    code, written = run_on_a_terminal(["predict", "-i", tmp_path / "in", "-o", tmp_path / "out"])
    assert code == 0
    assert "segmenting" in written
    assert "100%" in written
    segs = np.load(tmp_path / "out" / "2DBox_US_0001.npz")["segs"]
    square = two_squares()[..., 0] > 100
    square[:, 30:] = False
    assert 2 * np.count_nonzero((segs == 1) & square) / (np.count_nonzero(segs) + np.count_nonzero(square)) > 0.8
