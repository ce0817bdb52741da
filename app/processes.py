"""Work in processes of its own: Python's, which share nothing with this one."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

from .errors import InputError

Result = TypeVar("Result")


def apart(function: Callable[..., Result], *arguments: object) -> Result:
    """What a function of a module returns, computed in a process that then ends, so that its memory is gone.

    Raises what the function raises, and InputError where the process was ended from outside.
    """
    # Spawned, since a fork takes other threads' locks along.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        with interrupts_ignored():
            future = pool.submit(function, *arguments)
        try:
            return future.result()
        except BrokenProcessPool as error:
            raise InputError("a process was ended from outside, perhaps for its memory; free some") from error


@contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Processes started meanwhile never hear of an interrupt; the parent ends them."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
