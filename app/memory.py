"""How the C library deals with memory."""

from __future__ import annotations

import ctypes


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
