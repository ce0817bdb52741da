"""What the control groups (v1, v2) of this process allow it: processor time and memory.

The thread pools of OpenVINO, torch and OpenCV do not know of the first (`docker --cpus`); with more threads than
the quota pays for, the group is stopped for a part of every period. Who takes more of the second is killed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

_GROUPS = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")
_NO_LIMIT = 1 << 60  # v1 has a number of this size where memory is not limited


def cpu_quota(groups: Path = _GROUPS, mount: Path = _MOUNT) -> float:
    """Processors' worth of time; infinite without a limit."""
    folders = _folders("cpu", groups, mount)
    return min((_quota_v1(folder) if old else _quota_v2(folder) for folder, old in folders), default=math.inf)


def memory_limit(groups: Path = _GROUPS, mount: Path = _MOUNT) -> float:
    """Bytes; infinite without a limit."""
    files = (
        folder / ("memory.limit_in_bytes" if old else "memory.max") for folder, old in _folders("memory", groups, mount)
    )
    limits = (_number(_read(file)) for file in files)
    return min((limit for limit in limits if 0 < limit < _NO_LIMIT), default=math.inf)


def _folders(controller: str, groups: Path, mount: Path) -> Iterator[tuple[Path, bool]]:
    """Folders of the groups that this process is in, their parents' among them, and whether they are of v1."""
    try:
        lines = groups.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = mount / controllers
        group = root / path.lstrip("/")
        # In a container the path may be the host's: its folders are missing, and the limit is at the root.
        yield from ((one, bool(controllers)) for one in (group, *group.parents) if one.is_relative_to(root))


def _quota_v1(folder: Path) -> float:
    return _quotient(_read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us"))


def _quota_v2(folder: Path) -> float:
    quota, _, period = _read(folder / "cpu.max").partition(" ")
    return _quotient(quota, period)


def _quotient(quota: str, period: str) -> float:
    """Of microseconds of processor time in each period of so many; infinite where either is no limit."""
    return _number(quota) / _number(period) if _number(quota) and _number(period) else math.inf


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _number(text: str) -> float:
    return float(text) if text.isdecimal() else 0.0  # "max" and -1 stand for no limit
