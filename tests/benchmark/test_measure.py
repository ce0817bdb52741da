"""One command: its seconds, its memory, and why it failed."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from app.benchmark.measure import measure
from app.benchmark.memory_group import inside, memory_group
from app.errors import CaseError


def test_the_peak_is_that_of_the_largest_process_below() -> None:
    own_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10  # handed on: a peak is never below
    hungry = f"{sys.executable} -c 'b\"x\" * ({own_mib + 300} << 20)'"
    assert own_mib + 300 < measure(["sh", "-c", f"{hungry}; true"]).peak_memory_mib < own_mib + 400


def test_a_failure_says_how_it_ended_and_its_last_line() -> None:
    with pytest.raises(CaseError, match=r"exit code 3; it said last: no such model$"):
        measure(["sh", "-c", "echo started; echo no such model >&2; exit 3"])
    with pytest.raises(CaseError, match="killed, perhaps for its memory; it said last: nothing"):
        measure(["sh", "-c", "kill -KILL $$"])


def test_a_group_is_made_where_memory_is_shared_out_and_a_command_joins_it(tmp_path: Path) -> None:
    own = tmp_path / "mount" / "user" / "session"
    own.mkdir(parents=True)
    (own / "cgroup.subtree_control").write_text("\n")
    (own.parent / "cgroup.subtree_control").write_text("cpu memory pids\n")
    groups = tmp_path / "groups"
    groups.write_text("0::/user/session\n")
    with memory_group(8 << 30, groups, tmp_path / "mount") as group:
        assert group == own.parent / f"swinlite-{os.getpid()}"
        assert (group / "memory.max").read_text() == "8589934592"
        said = subprocess.run(inside(group, ["sh", "-c", 'echo "$$ $1"', "sh", "a b"]), capture_output=True, check=True)
        process, word = said.stdout.decode().split(maxsplit=1)
        assert (group / "cgroup.procs").read_text().strip() == process
        assert word == "a b\n"


def test_without_control_groups_of_version_2_there_is_none(tmp_path: Path) -> None:
    groups = tmp_path / "groups"
    groups.write_text("4:memory:/user\n0::/\n")
    with memory_group(8 << 30, groups, tmp_path) as group:
        assert group is None
