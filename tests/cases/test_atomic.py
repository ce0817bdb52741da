"""Outputs appear whole or not at all, and what a killed run leaves goes with the next."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.cases.atomic import fill_folder_atomically, remove_leftovers, write_atomically

_WRITES_AND_WAITS = """
import sys
from pathlib import Path
from app.cases.atomic import fill_folder_atomically, write_atomically
with write_atomically(Path(sys.argv[1]) / "file") as file, fill_folder_atomically(Path(sys.argv[1]) / "folder") as made:
    file.write(b"half")
    (made / "part").write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_replaces_the_one_before_only_when_whole(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 251 + ".npz")  # the longest name that a file may have
    path.write_text("before")
    with pytest.raises(TypeError), write_atomically(path) as file:
        file.writelines([b"half", "no bytes"])  # type: ignore[list-item]
    assert path.read_text() == "before"
    with write_atomically(path) as file:
        file.write(b"after")
    assert path.read_text() == "after"
    assert names(tmp_path) == [path.name]


def test_a_link_in_the_way_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    with write_atomically(tmp_path / "out") as file:
        file.write(b"ours")
    assert (tmp_path / "elsewhere").read_text() == "mine"
    assert not (tmp_path / "out").is_symlink()


def test_leftovers_go_once_the_run_that_made_them_is_dead(tmp_path: Path) -> None:
    (tmp_path / ".swinlite-mine.txt").write_text("of the user")
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITES_AND_WAITS, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        remove_leftovers(tmp_path)
        alive = names(tmp_path)
        writer.kill()
    assert len(alive) == 3
    assert names(tmp_path) == alive
    with fill_folder_atomically(tmp_path / "whole"):
        pass
    assert names(tmp_path) == [".swinlite-mine.txt", "whole"]
