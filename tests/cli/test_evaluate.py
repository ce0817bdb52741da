"""`swinlite evaluate` as its user meets it: tables, files, exit codes, messages."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.arrays import AnyArray
from app.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Predictions and truths of a picture with DSC 1 and 0, and of a volume shifted by one slice of 5 mm."""
    found, truth = tmp_path / "found", tmp_path / "truth"
    found.mkdir()
    truth.mkdir()
    picture = np.zeros((20, 30), np.uint8)
    picture[4:10, 4:10], picture[4:10, 20:26] = 1, 2
    np.savez(truth / "2DBox_US_0001.npz", gts=picture)
    np.savez(found / "2DBox_US_0001.npz", segs=np.where(picture == 1, picture, 0))
    volume = np.zeros((12, 8, 8), np.uint8)
    volume[2:8] = 1
    np.savez(truth / "3DBox_CT_0001.npz", gts=volume, spacing=np.array([5.0, 1.0, 1.0]))
    np.savez(found / "3DBox_CT_0001.npz", segs=np.roll(volume, 1, axis=0))
    return found, truth


def evaluate(*arguments: str | Path) -> int:
    return main(["evaluate", *map(str, arguments)])


def table(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_scores_are_printed_and_written(
    folders: tuple[Path, Path], tmp_path: Path, workers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    csv_file, json_file = tmp_path / "scores.csv", tmp_path / "scores.json"
    assert evaluate(*folders, "--csv", csv_file, "--json", json_file, "--workers", workers) == 0
    rows = table(csv_file)
    assert rows[:4] == [
        ["case", "modality", "label", "dsc", "nsd"],
        ["2DBox_US_0001", "US", "", "0.500000", "0.500000"],
        ["2DBox_US_0001", "US", "1", "1.000000", "1.000000"],
        ["2DBox_US_0001", "US", "2", "0.000000", "0.000000"],
    ]
    assert [row[:4] for row in rows[4:]] == [
        ["3DBox_CT_0001", "3D CT", label, "0.833333"] for label in ("", "1")
    ]  # five of six slices
    report = json.loads(json_file.read_text())
    assert [(row["modality"], row["cases"]) for row in report["means"]] == [("US", 1), ("3D CT", 1), ("mean", 2)]
    assert report["cases"][0]["score"]["labels"][1] == {"label": 2, "dsc": 0, "nsd": 0}
    assert report["settings"]["protocol"] == "honest"
    printed = capsys.readouterr().out.splitlines()
    assert printed[2].split()[:3] == ["US", "1", "0.5000"]
    assert printed[-1].split()[:3] == ["mean", "2", "0.6667"]


def test_spacing_order_turns_the_spacing_around(folders: tuple[Path, Path], tmp_path: Path) -> None:
    nsd = {}
    for name, options in {"zyx": [], "xyz": ["--spacing-order", "xyz"], "stored": ["--protocol", "challenge"]}.items():
        evaluate(*folders, *options, "--csv", tmp_path / "scores.csv")
        nsd[name] = float(table(tmp_path / "scores.csv")[-1][-1])
    assert nsd["xyz"] == 1
    assert nsd["zyx"] == nsd["stored"] < 1


def test_the_challenge_protocol_gives_the_published_evaluators_numbers(reference: Path, tmp_path: Path) -> None:
    found, truth = tmp_path / "found", tmp_path / "truth"
    found.mkdir()
    truth.mkdir()
    cases = np.load(reference / "score_cases.npz")
    for name in cases["names"]:
        spacing = {"spacing": cases[f"{name}/spacing"]} if name.startswith("3D") else {}
        np.savez(truth / f"{name}.npz", gts=cases[f"{name}/gt"], **spacing)
        np.savez(found / f"{name}.npz", segs=cases[f"{name}/seg"])
    assert evaluate(found, truth, "--protocol", "challenge", "--json", tmp_path / "scores.json") == 0
    scored = {case["name"]: case["score"] for case in json.loads((tmp_path / "scores.json").read_text())["cases"]}
    assert len(scored) == 26
    for key in ("dsc", "nsd"):
        for name, expected in zip(cases["names"], cases[key], strict=True):
            by_label = [label[key] for label in scored[name]["labels"]]
            np.testing.assert_allclose(np.array(scored[name][key], float), expected, rtol=1e-12, err_msg=name)
            np.testing.assert_allclose(np.array(by_label, float), cases[f"{name}/{key}_per_label"], rtol=1e-12)


def test_bad_predictions_score_0_and_are_named(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, truth = folders
    square = np.ones((5, 5), np.uint8)
    wrong: dict[str, AnyArray] = {"2": square[:4], "3": square * 0.5}
    for number in "234":
        np.savez(truth / f"2DBox_MR_{number}.npz", gts=square)
        if number in wrong:
            np.savez(found / f"2DBox_MR_{number}.npz", segs=wrong[number])
    np.savez(found / "2DBox_MR_5.npz", segs=square)
    np.savez(truth / "3DBox_MR_6.npz", gts=square[None])
    assert evaluate(*folders, "--json", tmp_path / "scores.json") == 1
    assert capsys.readouterr().err.splitlines() == [
        f"{found}: left out, having no truth: 2DBox_MR_5.npz",
        f"swinlite: {found}: 2DBox_MR_2.npz: segs has shape (4, 5), expected the truth's (5, 5); scored as empty",
        f"swinlite: {found}: 2DBox_MR_3.npz: segs has type float64, expected labels 0, 1, 2, ...; scored as empty",
        f"swinlite: {found}: 2DBox_MR_4.npz: has no prediction; scored as empty",
        f"swinlite: {found}: 3DBox_MR_6.npz: has no spacing; it holds: gts; the case is left out",
    ]
    report = json.loads((tmp_path / "scores.json").read_text())
    assert [case["score"] and case["score"]["dsc"] for case in report["cases"]] == [0, 0, 0, 0.5, 5 / 6, None]


def test_two_folders_are_compared_case_by_case(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, truth = folders
    better = tmp_path / "better"
    better.mkdir()
    for path in truth.iterdir():
        np.savez(better / path.name, segs=np.load(path)["gts"])
    assert evaluate(better, truth, "--against", found) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[5] == f"{better} minus {found}, honest; mean and 95 % interval over cases"
    assert [line.split()[-8:-5] for line in printed[7:]] == [
        ["US", "1", "+0.5000"],
        ["CT", "1", "+0.1667"],
        ["mean", "2", "+0.3333"],
    ]


def test_a_case_without_objects_counts_for_no_mean(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, truth = folders
    np.savez(truth / "empty.npz", gts=np.zeros((5, 5), np.uint8))
    np.savez(found / "empty.npz", segs=np.zeros((5, 5), np.uint8))
    assert evaluate(*folders, "--csv", tmp_path / "scores.csv", "--json", tmp_path / "scores.json") == 0
    assert table(tmp_path / "scores.csv")[-1] == ["empty", "other", "", "", ""]
    assert json.loads((tmp_path / "scores.json").read_text())["cases"][-1]["score"]["dsc"] is None
    assert "without a DSC, left out of its mean: empty" in capsys.readouterr().err


def test_wrong_usage_ends_with_2(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, truth = folders
    np.savez(tmp_path / "stranger.npz", segs=np.zeros((5, 5), np.uint8))
    assert evaluate(tmp_path, truth) == 2
    assert "found stranger.npz, expected 2DBox_US_0001.npz; are these the right folders?" in capsys.readouterr().err
    assert evaluate(found, truth, "--protocol", "challenge", "--spacing-order", "xyz") == 2
    assert "takes spacing as stored" in capsys.readouterr().err


def test_a_worker_loads_no_network() -> None:
    program = "import sys, app.scoring.folders; sys.exit(bool({'torch', 'cv2'} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_only_the_cases_that_a_table_names_count(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index, scores = tmp_path / "index.csv", tmp_path / "scores.csv"
    index.write_text("dataset,case\nA,3DBox_CT_0001\nB,3DBox_CT_0009\n")
    assert evaluate(*folders, "--only", index, "--csv", scores) == 0
    assert {row[0] for row in table(scores)} == {"case", "3DBox_CT_0001"}
    index.write_text("dataset,case\nB,3DBox_CT_0009\n")
    assert evaluate(*folders, "--only", index) == 2
    assert "holds none of the 1 cases that --only names" in capsys.readouterr().err
    index.write_text("dataset\nA\n")
    assert evaluate(*folders, "--only", index) == 2
    assert "index.csv: expected a CSV with a column `case`" in capsys.readouterr().err
