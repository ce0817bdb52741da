"""`swinlite report`: a run as one page to look through."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import OutputError
from .case_options import read_request
from .say import say

if TYPE_CHECKING:
    from ..report.entries import Entry, Sources
    from ..scoring.folders import SpacingOrder

SOME_FILE_AT_FAULT = 1

_FILE_OR_FOLDER = click.Path(path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("outputs", type=_FOLDER)
@click.option(
    "-i", "--input", "inputs", multiple=True, type=_FILE_OR_FOLDER, metavar="DIR|FILE",
    help="The cases that were segmented; default: those that the run report names.",
)  # fmt: skip
@click.option("--truth", type=_FOLDER, help="`.npz` with `gts`, named as the cases; default: the cases themselves.")
@click.option(
    "--run", "run_file", type=_FILE, metavar="JSON",
    help="Run report of `predict --timing`; default: the one in OUTPUTS.",
)  # fmt: skip
@click.option(
    "--spacing-order", type=click.Choice(["zyx", "xyz"]), default="zyx", show_default=True, metavar="zyx|xyz",
    help="How the truth files hold a volume's spacing.",
)  # fmt: skip
@click.option("-o", "--output", "page", type=_FILE, metavar="HTML", help="The page; default: report.html in OUTPUTS.")
def report(
    outputs: Path,
    inputs: tuple[Path, ...],
    truth: Path | None,
    run_file: Path | None,
    spacing_order: SpacingOrder,
    page: Path | None,
) -> int:
    """Write one HTML page about the label maps in OUTPUTS that `swinlite predict` found.

    The page holds all it shows and opens without a network: the run, accuracy where the truth is known, time,
    and every case with its box, points, scribble and outlines. Exit codes: 0 written, 1 written, but some file was
    missing or not usable, 2 wrong usage.
    """
    from ..cases.discover import prepare_output_folder
    from ..report.entries import find_sources
    from ..report.page import write_page
    from ..report.recorded_run import Asked, find_run, read_run
    from ..scoring.folders import Judge

    run_file = run_file or find_run(outputs)
    run = None if run_file is None else read_run(run_file)
    asked = Asked() if run is None else run.asked
    request = read_request(asked.box_options, asked.box_path, asked.modality, asked.window, asked.limits)
    sources = find_sources(outputs, inputs, truth, run, request, Judge("honest", spacing_order))
    page = page or outputs / "report.html"
    prepare_output_folder(page.parent, ())
    entries = _read_under_a_bar(sources)
    try:
        write_page(page, outputs.resolve().name, run, entries)
    except OSError as error:
        raise OutputError(f"{page}: cannot be written: {error.strerror}") from error
    say(f"{page}: {len(entries)} cases, {page.stat().st_size / 1e6:.1f} MB")
    return SOME_FILE_AT_FAULT if any(entry.faults for entry in entries) else 0


def _read_under_a_bar(sources: Sources) -> list[Entry]:
    """Read all cases; then say what is wrong with which file."""
    from ..report.entries import read_entries

    length = len(sources.cases)
    with click.progressbar(length=length, label="reading", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        entries = []
        for entry in read_entries(sources):
            entries.append(entry)
            bar.update(1)
    for entry in entries:
        for fault in entry.faults:
            say(f"swinlite: {fault}")
    return entries
