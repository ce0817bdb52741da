"""Work spread over processes: every item is accounted for, whatever becomes of the process."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing import active_children

from app.processes import Died, spread


def square(number: int) -> int:
    """A negative one is a signal that ends the process."""
    if number < 0:
        os.kill(os.getpid(), -number)
    return number**2


def sleep_unless_zero(number: int) -> int:
    time.sleep(60 * number)
    return number


def test_a_process_that_dies_takes_one_item_along_and_another_takes_its_place() -> None:
    done = dict(spread(square, [1, -signal.SIGKILL, 2, -signal.SIGSEGV, 3, 4], 2))
    assert {item: outcome for item, outcome in done.items() if not isinstance(outcome, Died)} == {
        1: 1,
        2: 4,
        3: 9,
        4: 16,
    }
    assert {item: str(outcome) for item, outcome in done.items() if isinstance(outcome, Died)} == {
        -signal.SIGKILL: "its process was ended by SIGKILL, perhaps for its memory",
        -signal.SIGSEGV: "its process was ended by SIGSEGV",
    }


def test_who_stops_listening_ends_the_processes() -> None:
    start, results = time.perf_counter(), spread(sleep_unless_zero, [1, 0, 1, 1], 2)
    assert next(results) == (0, 0)
    results.close()
    assert time.perf_counter() - start < 30
    assert active_children() == []
