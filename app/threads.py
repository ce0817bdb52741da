"""How many threads may compute: what the process may run on, and what its control group lets it use.

The thread pools of OpenVINO, torch and OpenCV know the first but not the second (`docker --cpus`); with more
threads than the quota pays for, the group is stopped for a part of every period.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_GROUPS = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")


def available_threads() -> int:
    """Processors that this process may use: affinity and quota, rounded down, at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min(affinity, cpu_quota())))


def cpu_quota(groups: Path = _GROUPS, mount: Path = _MOUNT) -> float:
    """Processors' worth of time that the control groups (v1, v2) of this process allow; infinite without a limit."""
    try:
        lines = groups.read_text(encoding="utf-8").splitlines()
    except OSError:
        return math.inf
    return min((quota for line in lines for quota in _quotas(line, mount)), default=math.inf)


def _quotas(line: str, mount: Path) -> Iterator[float]:
    """Quotas that bind the group of a line `number:controllers:/path`, its own and those of the groups above it."""
    _, controllers, path = line.split(":", 2)
    if controllers and "cpu" not in controllers.split(","):
        return
    root = mount / controllers
    group = root / path.lstrip("/")
    # In a container the path may be the host's: its folders are missing, and the limit is at the root.
    for folder in (group, *(parent for parent in group.parents if parent.is_relative_to(root))):
        quota, period = _limit_v1(folder) if controllers else _limit_v2(folder)
        if quota > 0 and period > 0:
            yield quota / period


def _limit_v2(folder: Path) -> tuple[float, float]:
    """Microseconds of processor time in each period of so many; 0 where there is no limit."""
    quota, _, period = _read(folder / "cpu.max").partition(" ")
    return _number(quota), _number(period)


def _limit_v1(folder: Path) -> tuple[float, float]:
    return _number(_read(folder / "cpu.cfs_quota_us")), _number(_read(folder / "cpu.cfs_period_us"))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _number(text: str) -> float:
    return float(text) if text.isdecimal() else 0.0  # "max" and -1 stand for no limit
