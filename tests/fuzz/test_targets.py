"""Fuzzing without a fuzzer: sound inputs get through to the readers, and what a reader must not do is seen."""

from __future__ import annotations

import io
import os
import tarfile
import warnings
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.errors import CaseError
from fuzz import seeds
from fuzz.layers import as_file, as_series, sealed_png, sealed_tar
from fuzz.targets import TARGETS, Target
from fuzz.watch import LeftBehindError, PrintedError, crashes, name_of


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_sound_inputs_are_read_and_none_crashes(target: Target, tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    inputs = list(target.seeds(tmp_path / "seeds"))
    assert not [crash for seed in inputs for crash in crashes(target, seed)]
    assert max(map(len, inputs)) <= target.longest


def target_that(read: Callable[[Path], object]) -> Target:
    return Target("x", as_file("a"), (read,), seeds.strategy)


def refuse(path: Path) -> None:
    raise CaseError(path.name)


def print_and_refuse(path: Path) -> None:
    os.write(2, b"odd")
    refuse(path)


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        (refuse, None),
        (lambda path: int(path.read_text()), ValueError),
        (lambda _: warnings.warn("odd", UserWarning, stacklevel=1), PrintedError),
        (print_and_refuse, PrintedError),
        (lambda path: path.with_name("left").touch(), LeftBehindError),
    ],
    ids=["says what is wrong", "raises", "warns", "prints", "leaves files"],
)
def test_a_reader_may_only_say_what_is_wrong(read: Callable[[Path], object], kind: type[Exception] | None) -> None:
    found = list(crashes(target_that(read), b"text"))
    assert [type(crash) for crash in found] == ([kind] if kind else [])


def test_crashes_of_one_line_have_one_name() -> None:
    first, second = (next(crashes(target_that(lambda _: int("x")), data)) for data in (b"a", b"b"))
    assert name_of(first) == name_of(second)
    assert name_of(first).startswith("ValueError-test_targets-")


def test_a_changed_picture_is_sealed_anew() -> None:
    """A chunk's length is at 33 where IHDR ends; its first bytes of data may be anything then."""
    grey = np.zeros((6, 5), np.uint8)
    content = cv2.imencode(".png", grey)[1].tobytes()
    assert sealed_png(content) == content
    wider = bytearray(content)
    wider[19] = 4  # the lowest byte of the width
    decoded = cv2.imdecode(np.frombuffer(sealed_png(bytes(wider)), np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is None or decoded.shape == (6, 4)
    assert sealed_png(b"no picture") == b"no picture"


def test_a_changed_shard_is_sealed_anew(tmp_path: Path) -> None:
    [content] = seeds.shard(tmp_path)
    renamed = content.replace(b"set/a.webp", b"new/a.webp", 1)
    with pytest.raises(tarfile.ReadError), tarfile.open(fileobj=io.BytesIO(renamed)):
        pass
    with tarfile.open(fileobj=io.BytesIO(sealed_tar(renamed))) as shard:
        assert shard.getnames() == ["new/a.webp", "set/a.png", "set/link.webp"]


def test_files_of_a_series_lie_in_a_row(tmp_path: Path) -> None:
    folder = as_series(b"lostDICMfirstDICMsecond", tmp_path)
    assert [file.read_bytes()[128:] for file in sorted(folder.iterdir())] == [b"DICMfirst", b"DICMsecond"]
