"""Being asked to stop: SIGINT is Python's KeyboardInterrupt, SIGTERM is raised as well, so that both tidy up."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType


class Terminated(BaseException):
    """SIGTERM came, as from `docker stop` or a batch system."""


STOPS = (KeyboardInterrupt, Terminated)


def exit_code(stop: BaseException) -> int:
    """128 and the number of the signal, as shells have it: 143 after Terminated, else 130."""
    return 128 + (signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT)


_asked = Event()


def heed_termination() -> None:
    """Raise Terminated in the main thread when SIGTERM comes; process 1 of a container would never hear of it."""
    signal.signal(signal.SIGTERM, _raise)


def raise_if_terminated() -> None:
    """To be called now and then: what is raised while Python clears an object away is lost."""
    if _asked.is_set():
        raise Terminated


def _raise(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    _asked.set()
    raise Terminated


@contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Processes started meanwhile never hear of an interrupt; the parent ends them."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
