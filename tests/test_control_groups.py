"""Limits of the control group, in both of its versions, and the threads that follow them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from app.control_groups import cpu_quota, memory_limit
from app.threads import available_threads


def system(folder: Path, membership: str, files: dict[str, str]) -> tuple[Path, Path]:
    """A made-up /proc/self/cgroup and /sys/fs/cgroup."""
    mount = folder / "mount"
    for name, content in files.items():
        (mount / name).parent.mkdir(parents=True, exist_ok=True)
        (mount / name).write_text(content + "\n")
    groups = folder / "groups"
    groups.write_text(membership + "\n")
    return groups, mount


V1 = "12:cpuset:/\n4:cpu,cpuacct:/docker/abc\n0::/docker/abc"
QUOTAS = {
    "v2, at the root of a container": ("0::/", {"cpu.max": "150000 100000"}, 1.5),
    "v2, no limit": ("0::/", {"cpu.max": "max 100000"}, math.inf),
    "v2, the tightest of nested groups": (
        "0::/user/session",
        {"cpu.max": "max 100000", "user/cpu.max": "300000 100000", "user/session/cpu.max": "max 100000"},
        3.0,
    ),
    "v2, a path of the host": ("0::/docker/abc", {"cpu.max": "50000 100000"}, 0.5),
    "v1": (
        V1,
        {"cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "250000", "cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000"},
        2.5,
    ),
    "v1, no limit": (V1, {"cpu,cpuacct/cpu.cfs_quota_us": "-1", "cpu,cpuacct/cpu.cfs_period_us": "100000"}, math.inf),
}


@pytest.mark.parametrize("kind", QUOTAS)
def test_the_quota_is_read(kind: str, tmp_path: Path) -> None:
    membership, files, expected = QUOTAS[kind]
    assert cpu_quota(*system(tmp_path, membership, files)) == expected


MEMORY = {
    "v2, the tightest of nested groups": (
        "0::/user/session",
        {"memory.max": "max", "user/memory.max": "8589934592", "user/session/memory.max": "9000000000"},
        8 << 30,
    ),
    "v1": (
        "4:memory:/docker/abc",
        {
            "memory/docker/abc/memory.limit_in_bytes": "1073741824",
            "memory/memory.limit_in_bytes": "9223372036854771712",
        },
        1 << 30,
    ),
    "v1, no limit": ("4:memory:/", {"memory/memory.limit_in_bytes": "9223372036854771712"}, math.inf),
}


@pytest.mark.parametrize("kind", MEMORY)
def test_the_memory_limit_is_read(kind: str, tmp_path: Path) -> None:
    membership, files, expected = MEMORY[kind]
    assert memory_limit(*system(tmp_path, membership, files)) == expected


def test_a_system_without_control_groups_has_no_limits(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path / "missing", tmp_path) == math.inf
    assert memory_limit(tmp_path / "missing", tmp_path) == math.inf


@pytest.mark.parametrize(("quota", "expected"), [(math.inf, 4), (2.9, 2), (0.5, 1), (8.0, 4)])
def test_threads_are_the_smaller_of_affinity_and_quota_rounded_down(
    quota: float, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 2, 4, 6}, raising=False)
    monkeypatch.setattr("app.threads.cpu_quota", lambda: quota)
    assert available_threads() == expected
