"""A file whose name moves the cursor, breaks lines and is no UTF-8, from the run to its report."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest

from app.cli import main
from app.segment.segmenter import Segmenter
from tests.conftest import CaseWriter, two_squares
from tests.dicom_files import write_picture
from tests.fakes import ThresholdEngine
from tests.orientations import AFFINE

NAME = os.fsdecode(b"=2D\x1b[2J\n,\"';<script>\xe2\x80\xae\xff_1")
SHOWN = r"""=2D\x1b[2J\n,"';<script>\u202e\udcff_1"""
WRITERS: dict[str, Callable[[Path], object]] = {
    ".png": lambda path: path.write_bytes(cv2.imencode(".png", two_squares())[1].tobytes()),
    ".tif": lambda path: path.write_bytes(cv2.imencode(".tif", two_squares())[1].tobytes()),
    ".nii.gz": lambda path: nibabel.Nifti1Image(np.ones((64, 48, 2), np.uint8), AFFINE).to_filename(path),
    ".dcm": lambda path: write_picture(path, two_squares()[..., 0]),
}


@pytest.fixture(autouse=True)
def fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.segment.segmenter.load_segmenter", lambda *_, **__: Segmenter(ThresholdEngine()))


def test_a_run_its_scores_and_its_report_stay_sound(
    write_case: CaseWriter, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_case(NAME, gts=np.ones((48, 64), np.uint8))
    out, timing, scores = tmp_path / "out", tmp_path / "out" / "timing.csv", tmp_path / "scores.csv"
    assert main(["predict", "-i", str(tmp_path / "in"), "-o", str(out), "--timing", str(timing)]) == 0
    assert main(["evaluate", str(out), str(tmp_path / "in"), "--csv", str(scores)]) == 0
    assert main(["report", str(out)]) == 0
    said = "".join(capfd.readouterr())
    assert f"[1/1] {SHOWN}: 1 object" in said
    assert "\x1b" not in said
    assert (out / f"{NAME}.npz").exists()
    for table, column in ((timing, "CaseName"), (scores, "case")):
        with table.open(newline="", encoding="utf-8") as file:
            assert {row[column].removesuffix(".npz") for row in csv.DictReader(file)} == {SHOWN}
    assert json.loads(timing.with_suffix(".json").read_text())["cases"][0]["name"] == NAME
    assert "<script>\u202e" not in (out / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("ending", WRITERS)
def test_a_file_of_any_kind_may_have_such_a_name(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}{ending}"
    WRITERS[ending](path)
    box = "5,5,0,25,25,1" if ending == ".nii.gz" else "5,5,25,25"
    arguments = ["predict", "-i", str(path), "-o", str(tmp_path / "out"), "--format", "npz", "--box", box]
    assert main([*arguments, "--overlay", str(tmp_path / "seen")]) == 0
    assert (tmp_path / "seen" / f"{NAME}.png").exists()


def test_a_faulty_case_is_named_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / f"{NAME}.npz").write_bytes(b"text")
    assert main(["predict", "-i", str(tmp_path), "-o", str(tmp_path / "out"), "-q"]) == 1
    assert capfd.readouterr().err == (
        f"swinlite: {SHOWN}.npz: is not an .npz file (not a zip archive); it may be of another kind or cut short\n"
    )
