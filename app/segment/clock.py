"""Where the time of a case goes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Stage = Literal["read", "encode", "prompt", "decode", "write"]


class StageClock:
    """Adds up the seconds and the number of entries of each stage."""

    def __init__(self) -> None:
        self.seconds: Counter[Stage] = Counter()
        self.entries: Counter[Stage] = Counter()

    @contextmanager
    def measure(self, stage: Stage) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - start  # type: ignore[assignment]  # Counter allows floats
            self.entries[stage] += 1
