"""`--max-...`: sizes as people write them, and cases that are refused."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import pytest

from app.cases.limits import size_in_words
from app.cli import main
from app.cli.limit_options import ByteSize
from app.segment.segmenter import Segmenter
from tests.conftest import CaseWriter, two_squares
from tests.fakes import ThresholdEngine


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8GB", 8_000_000_000),
        ("500M", 500_000_000),
        ("1.5 GiB", 1_610_612_736),
        ("64ki", 65_536),
        ("2tb", 2_000_000_000_000),
        ("1000", 1000),
        ("12b", 12),
    ],
)
def test_a_size_is_read_as_people_write_it(text: str, size: int) -> None:
    assert ByteSize().convert(text, None, None) == size


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "0", "8 G B", "1e9", "nan", "8EB", "9" * 5000, "\u0668\u0663MB"])
def test_what_is_no_size_is_wrong_usage(text: str) -> None:
    with pytest.raises(click.BadParameter, match="expected a size such as 8GB, 500M or 1000000"):
        ByteSize().convert(text, None, None)


def test_sizes_are_said_in_three_digits() -> None:
    sizes = (999, 1000, 8_390_000, 4_000_000_000, 10**15)
    assert [size_in_words(size) for size in sizes] == ["999 bytes", "1 kB", "8.39 MB", "4 GB", "1e+03 TB"]


@pytest.mark.parametrize(
    ("option", "least"),
    [("--max-decompressed", "10kB"), ("--max-side", "64"), ("--max-slices", "3"), ("--max-objects", "2")],
)
def test_the_option_that_a_message_names_lets_the_case_in(
    write_case: CaseWriter, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, least: str
) -> None:
    volume = np.repeat(two_squares()[None, ..., 0], 3, axis=0)
    case = write_case("a", imgs=volume, boxes=np.array([[5, 5, 0, 25, 25, 2]] * 2))
    arguments = ["convert", str(case), "-o", str(tmp_path / "out")]
    assert main([*arguments, option, "1kB" if "k" in least else "1"]) == 1
    assert f"raise {option}" in capsys.readouterr().err
    assert main([*arguments, option, least]) == 0


def test_a_case_that_needs_more_than_the_memory_limit_is_refused_with_what_it_needs(
    write_case: CaseWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "app.segment.segmenter.load_segmenter", lambda *_, memory, **__: Segmenter(ThresholdEngine(), memory=memory)
    )
    write_case("fits")
    folder = write_case("large", imgs=np.zeros((1000, 1000, 3), np.int16)).parent
    arguments = ["predict", "-i", str(folder), "-o", str(tmp_path / "out"), "--memory-limit"]
    assert main([*arguments, "720MB"]) == 1
    said = capsys.readouterr().err
    assert "large.npz: states an array of shape (1000, 1000, 3), int16, which needs 730 MB of memory" in said
    assert "of 720 MB; raise --memory-limit" in said
    assert "1 done, 0 skipped, 1 failed" in said
    assert main([*arguments, "730MB", "--skip-existing"]) == 0
