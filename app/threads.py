"""How many threads may compute."""

from __future__ import annotations

import os

from .control_groups import cpu_quota


def available_threads() -> int:
    """Processors that this process may use: affinity and quota, rounded down, at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min(affinity, cpu_quota())))
