"""`swinlite predict` on other files than the challenge's: all kinds in one run, each answered in its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest

from app.cli import main
from app.segment.segmenter import Segmenter
from tests.conftest import CaseWriter, two_squares
from tests.fakes import ThresholdEngine

ROOT = Path(__file__).parents[2]
VOLUME = np.repeat(two_squares()[None, ..., 0], 6, axis=0)


@pytest.fixture(autouse=True)
def fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in this process compute with the fake engine."""
    monkeypatch.setattr(
        "app.segment.segmenter.load_segmenter", lambda *_, style, **__: Segmenter(ThresholdEngine(), style)
    )


@pytest.fixture
def folder(write_case: CaseWriter, tmp_path: Path) -> Path:
    """An npz with its boxes, a picture and a volume without, each with a list of boxes of its name."""
    write_case("a")
    cv2.imwrite(str(tmp_path / "in" / "b.png"), two_squares())
    nibabel.Nifti1Image(VOLUME.T, np.diag([-1.0, -1, 2, 1])).to_filename(tmp_path / "in" / "c.nii.gz")
    (tmp_path / "boxes").mkdir()
    for name, box in (("a", [35, 5, 55, 25]), ("b", [5, 5, 25, 25]), ("c", [35, 5, 1, 55, 25, 4])):
        text = json.dumps({"boxes": [{"box": box, "label": 9}]})
        (tmp_path / "boxes" / f"{name}.json").write_text(text)
    return tmp_path


def predict(*arguments: str | Path) -> int:
    return main(["predict", *map(str, arguments)])


def test_each_kind_is_answered_in_its_own(folder: Path) -> None:
    timing = folder / "t.csv"
    arguments = ("-i", folder / "in", "-o", folder / "out", "--boxes", folder / "boxes", "--timing", timing)
    assert predict(*arguments) == 0
    left, right = np.zeros((48, 64), np.uint8), np.zeros((48, 64), np.uint8)
    left[10:22, 10:22], right[10:22, 40:52] = 9, 9
    np.testing.assert_array_equal(np.load(folder / "out" / "a.npz")["segs"], right)
    np.testing.assert_array_equal(cv2.imread(str(folder / "out" / "b.png"), cv2.IMREAD_UNCHANGED), left)
    labels = nibabel.load(folder / "out" / "c.nii.gz")
    np.testing.assert_array_equal(np.asarray(labels.dataobj).T, [0 * right, *[right] * 4, 0 * right])  # type: ignore[attr-defined]
    assert [line.partition(",")[0] for line in timing.read_text().splitlines()[1:]] == ["a.npz", "b.png", "c.nii.gz"]


def test_all_kinds_can_be_answered_in_the_challenges(folder: Path) -> None:
    arguments = ("-i", folder / "in", "-o", folder / "out", "--boxes", folder / "boxes", "--format", "npz")
    assert predict(*arguments, "--overlay", folder / "out") == 0
    names = sorted(path.name for path in (folder / "out").iterdir())
    assert names == ["a.npz", "a.png", "b.npz", "b.png", "c.npz", "c.png"]
    assert np.load(folder / "out" / "c.npz")["segs"].shape == VOLUME.shape


def test_cases_that_lack_boxes_fail_alone_and_done_ones_are_left_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "c.nii.gz").write_bytes(b"finished before")
    (folder / "in" / "d.nii.gz").write_bytes(b"damaged")
    assert predict("-i", folder / "in", "-o", folder / "out", "--skip-existing") == 1
    said = capsys.readouterr().err
    assert "1 done, 1 skipped, 2 failed of 4" in said
    assert "b.png: has no boxes; give them with --box or --boxes" in said
    assert "d.nii.gz: is no readable NIfTI file" in said
    assert "Traceback" not in said
    assert (folder / "out" / "c.nii.gz").read_bytes() == b"finished before"


def test_commands_that_cannot_be_run_end_with_2_before_any_work(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs, out = ("-i", folder / "in"), folder / "out"
    cv2.imwrite(str(folder / "a.tif"), two_squares())
    for arguments, message in (
        ((*inputs, "-o", out, "--box", "1,2,3"), "--box 1,2,3: box 1 is"),
        ((*inputs, "-o", out, "--boxes", folder / "none.csv"), "none.csv: no such file or folder of boxes"),
        ((*inputs, "-o", out, "--boxes", folder / "boxes", "--box", "1,2,3,4"), "cannot go together"),
        ((*inputs, "-o", out, "--window", "liver"), "--window liver: expected one of abdomen"),
        ((*inputs, "-i", folder / "a.tif", "-o", out), "two inputs are both called a"),
        ((*inputs, "-o", out, "--overlay", out), "label map and overlay of"),
        ((*inputs, "-o", folder / "in"), "writing here would overwrite the input"),
    ):
        assert predict(*arguments) == 2
        assert message in capsys.readouterr().err
        assert not out.exists()


def test_the_challenges_files_need_no_library_of_the_extra(write_case: CaseWriter, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from app.cases.open_case import Request, open_case, save_labels;"
        "opened = open_case(Path(sys.argv[1]), Request());"
        "save_labels(Path(sys.argv[2]), opened.case.image[..., 0], opened);"
        "print(sorted(set(sys.modules) & {'nibabel', 'pydicom', 'highdicom', 'scipy', 'torch'}))"
    )
    arguments = [sys.executable, "-c", program, str(write_case("a")), str(tmp_path / "out.npz")]
    assert subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True).stdout == "[]\n"
