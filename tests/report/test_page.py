"""`swinlite report`: the page says what was run and shows what was used, and nothing else."""

from __future__ import annotations

import html
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
import pytest

from app.arrays import AnyArray
from app.cli import main
from app.prompts.prompt import Prompt
from app.report.outlines import outlines, points_path
from tests.conftest import two_squares
from tests.report.conftest import EVIL, Run

NAMES = ["2DBox_US_0002", EVIL, "3DBox_CT_0003"]


def report(*arguments: str | Path) -> int:
    return main(["report", *map(str, arguments)])


def html_of(run: Run) -> str:
    return (run.outputs / "report.html").read_text(encoding="utf-8")


def panels_of(run: Run) -> dict[str, list[dict[str, Any]]]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html_of(run))
    assert found is not None
    return {case["name"]: case["panels"] for case in json.loads(found[1])}


def outlined(labels: AnyArray) -> list[list[Any]]:
    """Outlines as the page has them."""
    return [list(shape) for shape in outlines(labels.astype(np.uint8), 1)]


def drawn(*prompts: Prompt) -> dict[str, list[list[Any]]]:
    """Points and scribbles as the page has them, of a picture of 48 x 64."""
    points = [[prompt.label, points_path(prompt.points)] for prompt in prompts if prompt.points is not None]
    strokes = [outlined(prompt.scribble[:192] * prompt.label) for prompt in prompts if prompt.scribble is not None]
    return {"points": points, "scribble": [shape for stroke in strokes for shape in stroke]}


def test_points_and_scribbles_are_those_that_the_model_was_given(run: Run) -> None:
    assert report(run.outputs) == 0
    picture, first, second, middle, *_ = run.engine.prompts
    panels = panels_of(run)
    assert list(panels) == NAMES
    assert drawn(picture).items() <= panels["2DBox_US_0002"][0]["layers"].items()
    assert drawn(first, second).items() <= panels[EVIL][0]["layers"].items()
    volume = {panel["z"]: panel["layers"] for panel in panels["3DBox_CT_0003"]}
    assert list(volume) == [1, 2, 3, 4]
    assert drawn(middle).items() <= volume[2].items()
    assert all(volume[z].keys() == {"box", "prediction", "truth"} for z in (1, 3, 4))


def test_masks_and_truth_are_outlined(run: Run) -> None:
    report(run.outputs)
    layers = panels_of(run)[EVIL][0]["layers"]
    square = np.zeros((48, 64), np.uint8)
    square[10:22, 10:22], square[10:22, 40:52] = 1, 2
    assert layers["prediction"] == outlined(square)
    square[:, 46:] = 0
    assert layers["truth"] == outlined(square)


def test_files_of_other_kinds_are_shown_as_the_run_took_them(run: Run, tmp_path: Path) -> None:
    """A volume stored right to left and back to front, with the labels that its boxes were given."""
    cases, out, boxes = tmp_path / "kinds", tmp_path / "found", tmp_path / "boxes.json"
    cases.mkdir()
    cv2.imwrite(str(cases / "b.png"), two_squares())
    stored = np.repeat(two_squares()[None, ..., 0], 6, axis=0).T[::-1, ::-1]
    nibabel.Nifti1Image(stored, np.diag([1.0, 1, 2, 1])).to_filename(cases / "c.nii.gz")
    boxes.write_text(
        '{"boxes": [{"case": "b", "box": [5, 5, 25, 25], "label": 9},'
        ' {"case": "c", "box": [38, 22, 1, 58, 42, 4], "label": 7}]}'
    )
    run.engine.prompts.clear()
    timing = str(out / "run.csv")
    main(["predict", "-q", "-i", str(cases), "-o", str(out), "--boxes", str(boxes), "--timing", timing])
    assert report(out, "-o", run.outputs / "report.html") == 0
    panels = panels_of(run)
    square = np.zeros((48, 64), np.uint8)
    square[10:22, 10:22] = 1
    for name, prompt, label, panel in zip("bc", run.engine.prompts[:2], (9, 7), (0, 1), strict=True):
        layers = panels[name][panel]["layers"]
        assert layers["prediction"] == outlined(square * label)
        assert drawn(replace(prompt, label=label)).items() <= layers.items()
    assert [panel["z"] for panel in panels["c"]] == [1, 2, 3, 4]


def test_prompts_that_cannot_be_known_are_not_shown(run: Run) -> None:
    timing = run.outputs / "timing.json"
    record = json.loads(timing.read_text())
    record["cases"][0]["outcome"] = "skipped"
    timing.write_text(json.dumps(record))
    report(run.outputs)
    assert panels_of(run)["2DBox_US_0002"][0]["layers"].keys() == {"box", "prediction", "truth"}
    assert "points" in panels_of(run)[EVIL][0]["layers"]
    record["models"][0]["prompts"]["guide"] = "prediction"
    timing.write_text(json.dumps(record))
    report(run.outputs)
    assert "points" not in panels_of(run)[EVIL][0]["layers"]
    timing.unlink()
    assert report(run.outputs, "-i", run.cases) == 0
    assert "No run report was at hand" in html_of(run)
    assert "points" not in panels_of(run)[EVIL][0]["layers"]


def test_accuracy_is_what_evaluate_gives(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    report(run.outputs)
    capsys.readouterr()
    main(["evaluate", str(run.outputs), str(run.cases)])
    lines = capsys.readouterr().out.splitlines()[2:]
    rows = re.findall(r'(<th scope="row">[^<]*</th><td class="number">.*?)<td><svg', html_of(run), re.DOTALL)
    said = [html.unescape(re.sub(r"<[^>]*>", " ", row)).split() for row in rows]
    assert said == [line.split() for line in lines]
    assert len(said) == 4


def test_equal_runs_give_equal_bytes_and_no_address_of_a_network(run: Run, tmp_path: Path) -> None:
    report(run.outputs)
    report(run.outputs, "-o", tmp_path / "again.html")
    page = html_of(run)
    assert (tmp_path / "again.html").read_text() == page
    assert set(re.findall(r"[a-z]+://[^\"'\s<]*", page)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<link|@import|\bsrc=", page)


def test_names_are_text_and_not_part_of_the_page(run: Run) -> None:
    report(run.outputs)
    assert "<script>alert" not in html_of(run)
    assert html_of(run).count("</script>") == 2


def test_a_damaged_and_a_missing_file_are_named_and_the_others_shown(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    (run.outputs / "2DBox_US_0002.npz").write_text("no archive")
    (run.outputs / "3DBox_CT_0003.npz").unlink()
    timing = run.outputs / "timing.json"
    record = json.loads(timing.read_text())
    record["cases"][2] |= {"outcome": "failed", "error": "3DBox_CT_0003.npz: not enough memory"}
    timing.write_text(json.dumps(record))
    assert report(run.outputs) == 1
    first, second, third, last = capsys.readouterr().err.splitlines()
    assert first.startswith("swinlite: 2DBox_US_0002.npz: is not an .npz file")
    assert second == "swinlite: 3DBox_CT_0003.npz: not enough memory"
    assert third == "swinlite: 3DBox_CT_0003.npz: has no prediction; scored as empty"
    assert "report.html: 3 cases, " in last
    panels = panels_of(run)
    assert "prediction" not in panels["2DBox_US_0002"][0]["layers"]
    assert "prediction" in panels[EVIL][0]["layers"]


def test_what_cannot_be_reported_ends_with_2(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    timing, empty, other = run.outputs / "timing.json", tmp_path / "empty", tmp_path / "other"
    empty.mkdir()
    other.mkdir()
    np.savez(other / "stranger.npz", segs=np.zeros((5, 5), np.uint8))
    odd = tmp_path / "odd.json"
    odd.write_text(json.dumps(json.loads(timing.read_text()) | {"versions": []}))
    for arguments, message in (
        ((run.outputs, "--run", odd), "odd.json: expected the run report"),
        ((empty,), "holds no run report, which would say where the cases are; name them with --input"),
        ((empty, "-i", run.cases), "empty: holds no file of a case, such as 2DBox_US_0002.npz"),
        ((run.outputs, "-i", other / "stranger.npz"), "out: holds no file of a case, such as stranger.npz"),
        ((run.outputs, "--truth", other), "other: holds no file of a case, such as 2DBox_US_0002.npz"),
        ((run.outputs, "--run", run.outputs / "timing.csv"), "timing.csv: expected the run report"),
        ((run.outputs, "-o", timing / "page.html"), "cannot be written"),
    ):
        assert report(*arguments) == 2
        assert message in capsys.readouterr().err
    (run.outputs / "second.json").write_bytes(timing.read_bytes())
    assert report(run.outputs) == 2
    assert "found second.json and timing.json; name the right one with --run" in capsys.readouterr().err
    run.cases.rename(tmp_path / "moved")
    assert report(run.outputs, "--run", timing) == 2
    assert "no longer there; name the cases with --input" in capsys.readouterr().err


def test_a_missing_library_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "app.report.page", raising=False)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert report(run.outputs) == 2
    assert capsys.readouterr().err == "swinlite: this needs jinja2, which is not installed here; pip install jinja2\n"
