"""`swinlite evaluate`: how good label maps are, by the truth."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import OutputError
from ..threads import available_threads
from .say import say

if TYPE_CHECKING:
    from ..scoring.folders import CaseResult, Judge, Protocol, SpacingOrder
    from ..scoring.records import Evaluation
    from ..scoring.summary import Estimate, Row

SOME_CASE_FAILED = 1
_CASES_WORTH_A_WORKER = 200  # a process takes about as long to start as 100 pictures to score

_FOLDER = click.Path(exists=True, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("predictions", type=_FOLDER)
@click.argument("truth", type=_FOLDER)
@click.option(
    "--protocol", type=click.Choice(["honest", "challenge"]), default="honest", show_default=True,
    help="challenge: the numbers of the challenge's evaluator, with its oddities.",
)  # fmt: skip
@click.option(
    "--spacing-order", type=click.Choice(["zyx", "xyz"]), metavar="zyx|xyz",
    help="How the truth files hold a volume's spacing; default zyx. The challenge protocol takes it as stored.",
)  # fmt: skip
@click.option("--against", type=_FOLDER, metavar="OTHER", help="Also compare with these predictions, case by case.")
@click.option("--only", type=_FILE, metavar="CSV", help="Only the cases that this file names in its column `case`.")
@click.option("--csv", "csv_file", type=_FILE, metavar="FILE", help="Write each case's and label's scores here.")
@click.option("--json", "json_file", type=_FILE, metavar="FILE", help="Write the scores, means and intervals here.")
@click.option(
    "--workers", type=click.IntRange(min=1), help="Processes; default: by the number of cases and of processors."
)
def evaluate(
    predictions: Path,
    truth: Path,
    protocol: Protocol,
    spacing_order: SpacingOrder | None,
    against: Path | None,
    only: Path | None,
    csv_file: Path | None,
    json_file: Path | None,
    workers: int | None,
) -> int:
    """Score PREDICTIONS, .npz with `segs`, by TRUTH, .npz of the same names with `gts`.

    Prints mean DSC and NSD (2 mm, in pictures 2 pixels) by modality with 95 % bootstrap intervals over cases. A
    missing or misshapen prediction scores 0 and is named. Exit codes: 0 all scored, 1 some file was missing or
    not usable, 2 wrong usage.
    """
    from ..scoring.folders import Judge, named_cases
    from ..scoring.records import Evaluation
    from ..scoring.summary import compare, summarise

    if protocol == "challenge" and spacing_order is not None:
        raise click.BadParameter("the challenge protocol takes spacing as stored", param_hint="--spacing-order")
    _prove_writable(csv_file, json_file)
    judge = Judge(protocol, spacing_order or "zyx")
    names = None if only is None else named_cases(only)
    cases = _score_folder(predictions, truth, names, judge, workers)
    others = _score_folder(against, truth, names, judge, workers) if against else []
    means, differences = summarise(cases), compare(cases, others)
    _print_table(f"{predictions}, {protocol}", means, "")
    if against:
        _print_table(f"{predictions} minus {against}, {protocol}", differences, "+")
    paths = {"predictions": predictions, "truth": truth, "against": against, "only": only}
    settings = asdict(judge) | {role: None if path is None else str(path) for role, path in paths.items()}
    _write_records(csv_file, json_file, Evaluation(settings, means, differences, cases, others))
    return SOME_CASE_FAILED if any(case.fault for case in (*cases, *others)) else 0


def _prove_writable(*files: Path | None) -> None:
    from ..cases.discover import prepare_output_folder

    for file in files:
        if file is not None:
            prepare_output_folder(file.parent, ())


def _score_folder(
    predictions: Path, truth: Path, only: frozenset[str] | None, judge: Judge, workers: int | None
) -> list[CaseResult]:
    """Score all cases under a progress bar; then say what is wrong with which file."""
    from ..scoring.folders import pair_cases, score_pairs

    pairs, strangers = pair_cases(predictions, truth, only)
    workers = workers or min(available_threads(), 1 + len(pairs) // _CASES_WORTH_A_WORKER)
    with click.progressbar(length=len(pairs), label="scoring", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        results = []
        for result in score_pairs(pairs, judge, workers):
            results.append(result)
            bar.update(1)
    results.sort(key=lambda result: result.name)
    if strangers:
        say(f"{predictions}: left out, having no truth: {', '.join(strangers)}")
    if unscored := [result.name for result in results if result.score and math.isnan(result.score.dsc)]:
        say(f"{predictions}: without a DSC, left out of its mean: {', '.join(unscored)}")
    for result in results:
        if result.fault:
            say(f"swinlite: {predictions}: {result.fault}")
    return results


def _print_table(title: str, rows: Sequence[Row], sign: str) -> None:
    say(f"{title}; mean and 95 % interval over cases", err=False)
    click.echo(f"{'':14} {'cases':>5}  {'DSC':27}  NSD")
    for row in rows:
        say(f"{row.modality:14} {row.cases:5}  {_shown(row.dsc, sign):27}  {_shown(row.nsd, sign)}", err=False)


def _shown(estimate: Estimate, sign: str) -> str:
    mean, low, high = (f"{value:{sign}.4f}" for value in (estimate.mean, estimate.low, estimate.high))
    return f"{mean} [{low}, {high}]"


def _write_records(csv_file: Path | None, json_file: Path | None, evaluation: Evaluation) -> None:
    from ..scoring.records import write_csv, write_json

    try:
        if csv_file is not None:
            write_csv(csv_file, evaluation.cases)
        if json_file is not None:
            write_json(json_file, evaluation)
    except OSError as error:
        raise OutputError(f"{error.filename or csv_file or json_file}: cannot be written: {error.strerror}") from error
