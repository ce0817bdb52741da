"""Work in processes of its own: Python's, which share nothing with this one."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Generic, TypeVar

from .errors import InputError
from .interrupts import Terminated, heed_termination, interrupts_ignored

Item = TypeVar("Item")
Result = TypeVar("Result")

_SPAWN = get_context("spawn")  # a fork would take other threads' locks along
_GRACE = 5.0  # seconds for a process that is asked to end


@dataclass(frozen=True)
class Died:
    """In place of a result: the process ended before it had one. exit_code: as in `multiprocessing`."""

    exit_code: int

    def __str__(self) -> str:
        if self.exit_code >= 0:
            return f"its process ended with exit code {self.exit_code}"
        name = signal.Signals(-self.exit_code).name
        return f"its process was ended by {name}" + (", perhaps for its memory" if name == "SIGKILL" else "")


def apart(function: Callable[..., Result], *arguments: object) -> Result:
    """What a function of a module returns, computed in a process that then ends, so that its memory is gone.

    Raises what the function raises, and InputError where the process was ended from outside.
    """
    with ProcessPoolExecutor(1, _SPAWN) as pool:
        with interrupts_ignored():
            future = pool.submit(function, *arguments)
        try:
            return future.result()
        except BrokenProcessPool as error:
            raise InputError("a process was ended from outside, perhaps for its memory; free some") from error


def spread(
    work: Callable[[Item], Result], items: Sequence[Item], workers: int
) -> Generator[tuple[Item, Result | Died]]:
    """Yield each item with what `work`, which must not raise, returns for it, as they come from several processes.

    A process that dies takes its one item along; another takes its place. All end with the iterator.
    """
    waiting, idle, busy = deque(items), list[_Worker[Item, Result]](), list[_Worker[Item, Result]]()
    try:
        while waiting or busy:
            while waiting and len(busy) < workers:
                busy.append(idle.pop() if idle else _Worker(work))
                busy[-1].take(waiting.popleft())
            ready = wait([worker.connection for worker in busy])
            for worker in [worker for worker in busy if worker.connection in ready]:
                item, outcome = worker.item, worker.outcome()
                busy.remove(worker)
                if not isinstance(outcome, Died):
                    idle.append(worker)
                yield item, outcome
    finally:
        _end([*busy, *idle])


class _Worker(Generic[Item, Result]):
    """A process that does `work` on one item after the other, as they are sent."""

    item: Item

    def __init__(self, work: Callable[[Item], Result]) -> None:
        self.connection, theirs = _SPAWN.Pipe()
        self.process: SpawnProcess = _SPAWN.Process(target=_serve, args=(theirs, work), daemon=True)
        with interrupts_ignored():
            self.process.start()
        theirs.close()  # held by the process alone, so that its death is seen here

    def take(self, item: Item) -> None:
        self.item = item
        with suppress(OSError):  # it died meanwhile, which the outcome tells
            self.connection.send(item)

    def outcome(self) -> Result | Died:
        try:
            result: Result = self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            return Died(self.process.exitcode or 0)
        return result


def _serve(connection: Connection, work: Callable[[Item], Result]) -> None:
    heed_termination()
    with suppress(EOFError, OSError, Terminated):  # the parent is gone, or wants no more
        while True:
            connection.send(work(connection.recv()))


def _end(workers: Sequence[_Worker[Item, Result]]) -> None:
    """Ask all at once, so that they tidy up together, and wait."""
    for worker in workers:
        worker.process.terminate()
    for worker in workers:
        worker.process.join(_GRACE)
        worker.process.kill()
        worker.process.join()
