"""`swinlite predict` on DICOM: the masks of the npz of the same data, errors in one line, nothing of the patient."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from app.arrays import AnyArray
from app.cli import main
from app.segment.segmenter import Segmenter
from tests.conftest import CaseWriter, two_squares
from tests.dicom_files import PATIENT, write_picture, write_series
from tests.fakes import ThresholdEngine

GREY = np.repeat(two_squares()[None, ..., 0], 6, axis=0)  # (z, y, x): 6, 48, 64
GREY[2:, 10:16, 10:22] = 20  # what no flip leaves alike
BOX = (5, 5, 1, 25, 25, 4)  # x, y, z
HU_OF_GREY: dict[str, Any] = {"RescaleSlope": 400 / 255, "RescaleIntercept": -160}  # the abdomen window undoes it


@pytest.fixture(autouse=True)
def fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in this process compute with the fake engine."""
    monkeypatch.setattr(
        "app.segment.segmenter.load_segmenter", lambda *_, style, **__: Segmenter(ThresholdEngine(), style)
    )


def predict(*arguments: str | Path) -> int:
    return main(["predict", *map(str, arguments)])


def comma(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))


def axial(folder: Path) -> tuple[list[Path], str, Callable[[AnyArray], AnyArray]]:
    """The volume as axial slices, its box, and how to turn masks of it to (z, y, x)."""
    return write_series(folder, GREY, **HU_OF_GREY), comma(BOX), lambda masks: masks


def sagittal(folder: Path) -> tuple[list[Path], str, Callable[[AnyArray], AnyArray]]:
    """Slices from the patient's left to the right (63 - x), rows to the back (y), columns downward (5 - z)."""
    stored = GREY.transpose(2, 0, 1)[::-1, ::-1]
    paths = write_series(folder, stored, (0, 1, 0, 0, 0, -1), (63, 0, 5), **HU_OF_GREY)
    x0, y0, z0, x1, y1, z1 = BOX
    return paths, comma((y0, 5 - z1, 63 - x1, y1, 5 - z0, 63 - x0)), lambda masks: masks[::-1, ::-1].transpose(1, 2, 0)


@pytest.mark.parametrize("write", [axial, sagittal])
def test_a_series_gives_the_mask_of_the_npz_of_the_same_data(
    write: Callable[[Path], Any], write_case: CaseWriter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_case("scan", imgs=GREY, boxes=np.array([BOX]))
    sources, box, turn = write(tmp_path / "series" / "scan")
    assert predict("-i", tmp_path / "in", "-o", tmp_path / "npz") == 0
    assert predict("-i", tmp_path / "series", "-o", tmp_path / "out", "--box", box, "-v") == 0
    assert predict("-i", tmp_path / "series", "-o", tmp_path / "out", "--box", box, "--format", "npz") == 0
    expected = np.load(tmp_path / "npz" / "scan.npz")["segs"]
    assert expected.any()
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "scan.npz")["segs"], expected)
    masks = np.zeros((len(sources), *dcmread(sources[0]).pixel_array.shape), np.uint8)
    uids = [dcmread(path).SOPInstanceUID for path in sources]
    seg = dcmread(tmp_path / "out" / "scan.dcm")
    for frame, pixels in zip(seg.PerFrameFunctionalGroupsSequence, seg.pixel_array, strict=True):
        source = frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        masks[uids.index(source)] = pixels
    np.testing.assert_array_equal(turn(masks), expected)
    assert PATIENT not in capsys.readouterr().err


def test_folders_of_series_are_a_batch_in_which_a_bad_one_fails_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scans = tmp_path / "scans"
    for name in ("a", "gap", "mixed", "z"):
        sources, box, _ = axial(scans / name)
        if name == "gap":
            sources[2].unlink()
    write_picture(scans / "mixed" / "other", GREY[0])
    (scans / "packed").mkdir()
    shutil.copy(str(get_testdata_file("SC_rgb_jpeg_gdcm.dcm")), scans / "packed")
    shutil.copy(str(get_testdata_file("DICOMDIR")), scans)
    assert predict("-i", scans, "-o", tmp_path / "out", "--box", box) == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.dcm", "z.dcm"]
    *_, counts, gap, mixed, packed = capsys.readouterr().err.splitlines()
    assert counts.startswith("2 done, 0 skipped, 3 failed of 5")
    assert gap.startswith("swinlite: gap: lacks slices, 1 here: from IM")
    assert mixed.startswith("swinlite: mixed: holds files of 2 series, expected one: ")
    assert packed.startswith("swinlite: packed: SC_rgb_jpeg_gdcm.dcm: is compressed as JPEG Lossless")


def test_a_series_becomes_a_case_of_the_challenge_and_its_labels_a_seg(tmp_path: Path) -> None:
    _, box, _ = sagittal(tmp_path / "scan")
    assert main(["convert", str(tmp_path / "scan"), "-o", str(tmp_path / "case"), "--box", box]) == 0
    case = np.load(tmp_path / "case" / "scan.npz")
    np.testing.assert_array_equal(case["imgs"], GREY)
    np.testing.assert_array_equal(case["boxes"], [BOX])
    np.savez(tmp_path / "case" / "scan.npz", segs=(GREY > 100).astype(np.uint8))
    labels, seg = str(tmp_path / "case" / "scan.npz"), tmp_path / "seg"
    assert main(["convert", labels, "-o", str(seg), "--like", str(tmp_path / "scan")]) == 0
    assert dcmread(seg / "scan.dcm").pixel_array.sum() == np.count_nonzero(GREY > 100)


def test_a_single_file_is_a_picture(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "us.dcm", two_squares(), Modality="US", SOPClassUID="1.2.840.10008.5.1.4.1.1.6.1")
    assert predict("-i", path, "-o", tmp_path / "out", "--box", "5,5,25,25,3") == 0
    seg = dcmread(tmp_path / "out" / "us.dcm")
    expected = np.zeros((48, 64), np.uint8)
    expected[10:22, 10:22] = 1
    np.testing.assert_array_equal(seg.pixel_array, expected)
    assert seg.SegmentSequence[0].SegmentLabel == "Object 3"
