"""What `swinlite predict` says while it runs, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .say import say

if TYPE_CHECKING:
    from ..engines.engine import EngineInfo
    from ..run.batch import CaseResult


class Printer:
    """Says what happens: a progress bar on a terminal, else a line a case; the failures once more at the end."""

    def __init__(self, total: int, quiet: bool, verbose: bool) -> None:
        self.results: list[CaseResult] = []
        self._total = total
        self._quiet = quiet
        self._verbose = verbose
        self._bar_shown = not quiet and not verbose and sys.stderr.isatty()
        if verbose:
            import logging

            logging.basicConfig(level=logging.DEBUG, format="%(message)s")

    def announce(self, models: list[EngineInfo]) -> None:
        for info in [] if self._quiet else models:
            threads = "1 thread" if info.threads == 1 else f"{info.threads} threads"
            say(
                f"model {info.model} (sha256 {info.weights_sha256[:12]}), {info.engine}, {info.precision}, {threads}",
            )

    @contextmanager
    def progress(self) -> Iterator[Callable[[CaseResult], None]]:
        """Give what is to be called after each case."""
        if not self._bar_shown:
            yield self._print_case
            return
        with click.progressbar(length=self._total, label="segmenting", file=sys.stderr) as bar:
            yield lambda _: bar.update(1)
        for result in self.results:
            self._print_notes(result)

    def _print_case(self, result: CaseResult) -> None:
        if self._quiet:
            return
        position = f"[{len(self.results)}/{self._total}] {result.name}"
        if result.error:
            outcome = "FAILED"
        elif result.skipped:
            outcome = "skipped, its output is there"
        else:
            outcome = f"{_count(result.objects, 'object')} in {result.running_time:.2f} s"
        say(f"{position}: {outcome}")
        if self._verbose:
            parts = ", ".join(f"{stage} {seconds:.3f} s" for stage, seconds in result.clock.seconds.items())
            say(f"  {parts}; {_count(result.encoder_calls, 'encoder call')}")
        self._print_notes(result)

    def _print_notes(self, result: CaseResult) -> None:
        for note in result.notes:
            say(f"  {result.name}: {note}")

    def summarise(self, output_folder: Path, seconds: float, *, stopped: bool) -> int:
        """Print the closing lines and return the number of failed cases."""
        failed = [result for result in self.results if result.error]
        skipped = sum(result.skipped for result in self.results)
        done = len(self.results) - len(failed) - skipped
        if not self._quiet:
            counts = f"{done} done, {skipped} skipped, {len(failed)} failed of {self._total}"
            say(f"{counts} in {seconds:.1f} s; label maps in {output_folder}")
        if stopped:
            say("swinlite: interrupted; what is written is whole, --skip-existing goes on from here")
        for result in failed:
            say(f"swinlite: {result.error}")
        return len(failed)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
