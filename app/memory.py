"""How much memory a run may use, what a case needs of it, and what is done with the rest."""

from __future__ import annotations

import ctypes
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

from .control_groups import memory_limit

MODEST_MEMORY = 1_500_000_000  # bytes, for one of several things that a program does
_USUAL = 8 * 10**9  # bytes, as the challenge's containers have
# Bytes that a process is counted with beside the case: the model, loaded and at work on one prompt, and each prompt
# more that is decoded in a batch. Measured at float32: 640 and 80 million where OpenVINO finds its compiled graphs;
# 830 million with torch and 1,050 where OpenVINO compiles in the process, which may so pass its limit by 300 million.
_MODEL = 700 * 10**6
_PROMPT = 80 * 10**6
_PROMPTS = 4  # more in a batch are no quicker a prompt
# Bytes for each number of an image: grey level, labels, votes of views and a window's copies; and of wider types
# the values as stored, those that percentiles are taken of, and their sorted copy.
_A_NUMBER = 4
_COPIES = 3


@dataclass(frozen=True)
class MemoryPlan:
    """prompts: decoded in a batch. cache: bytes for encoded slices that may be needed again."""

    prompts: int
    cache: int


def available_memory() -> int:
    """Bytes: the control group's limit; without one 8 GB, or half of what the machine has where that is less."""
    limit = memory_limit()
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(min(limit, machine) if math.isfinite(limit) else min(_USUAL, machine // 2))


def needed_memory(shape: Sequence[int], itemsize: int = 1) -> int:
    """Bytes that a process needs to segment an image of `shape` and of numbers of so many bytes."""
    return _MODEL + math.prod(shape) * (_A_NUMBER + (_COPIES * itemsize if itemsize > 1 else 0))


def plan_memory(memory: int, shape: Sequence[int]) -> MemoryPlan:
    """What is left of `memory` beside an image of `shape`, uint8: first for prompts, then for the cache."""
    rest = max(0, memory - needed_memory(shape))
    prompts = min(_PROMPTS, 1 + rest // _PROMPT)
    return MemoryPlan(prompts, rest - (prompts - 1) * _PROMPT)


def keep_freed_memory() -> None:
    """Tell glibc to reuse freed blocks instead of giving them back to the system.

    Every layer frees tens of megabytes that the next one asks for again; clearing fresh pages each time
    took a third of the processor's time. Other C libraries have no such switch and go on as they are.
    """
    trim_threshold, mmap_threshold = -1, -3  # malloc.h
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(mmap_threshold, 1 << 30)
    mallopt(trim_threshold, 1 << 30)
