"""A folder of predictions against a folder of truths, one case beside the other."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from ..arrays import LabelArray, Spacing
from ..cases.challenge import read_segmentation, read_spacing, read_truth
from ..cases.discover import find_cases
from ..cases.names import modality_in_name
from ..errors import CaseError, InputError
from ..processes import Died, spread
from .protocols import CaseScore, score_challenge, score_honest

SpacingOrder = Literal["zyx", "xyz"]
Protocol = Literal["honest", "challenge"]


@dataclass(frozen=True)
class Judge:
    """How cases are scored. spacing_order: how the truth files' `spacing` is stored, for the honest protocol."""

    protocol: Protocol = "honest"
    spacing_order: SpacingOrder = "zyx"

    def score(self, truth: LabelArray, found: LabelArray, spacing: Spacing | None) -> CaseScore:
        """Score label maps of one shape; spacing as stored, None for pictures."""
        if self.protocol == "challenge":
            return score_challenge(truth, found, spacing)
        if spacing is not None and self.spacing_order == "xyz":
            x, y, z = spacing
            spacing = z, y, x
        return score_honest(truth, found, spacing)


@dataclass(frozen=True)
class Pair:
    """Files of one case; no prediction where it is missing."""

    truth: Path
    prediction: Path | None


@dataclass(frozen=True)
class CaseResult:
    """What became of one case. score: None where the truth cannot be used. fault: what is wrong with its files."""

    name: str
    modality: str
    score: CaseScore | None
    fault: str | None


def named_cases(table: Path) -> frozenset[str]:
    """The column `case` of a CSV. Raises InputError where it has none."""
    try:
        with table.open(newline="", encoding="utf-8") as file:
            return frozenset(row["case"] for row in csv.DictReader(file))
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{table}: expected a CSV with a column `case`, found none ({error!r})") from error


def pair_cases(predictions: Path, truths: Path, only: frozenset[str] | None = None) -> tuple[list[Pair], list[str]]:
    """Every truth with the prediction of its name, and the names of predictions that have no truth.

    only: names of the cases that count, None for all. Raises InputError where no name is in both folders.
    """
    found = {path.name: path for path in find_cases([predictions]) if only is None or path.stem in only}
    expected = [path for path in find_cases([truths]) if only is None or path.stem in only]
    if not (expected and found):
        raise InputError(f"{predictions} or {truths}: holds none of the {len(only or ())} cases that --only names")
    pairs = [Pair(path, found.pop(path.name, None)) for path in expected]
    if all(pair.prediction is None for pair in pairs):
        raise InputError(
            f"no file in {predictions} has the name of a truth in {truths}: "
            f"found {next(iter(found))}, expected {expected[0].name}; are these the right folders?"
        )
    return pairs, list(found)


def score_pairs(pairs: Sequence[Pair], judge: Judge, workers: int) -> Iterator[CaseResult]:
    """Score each case in as many processes as there are workers, yielding as they come; a bad case fails alone."""
    score = partial(score_pair, judge=judge)
    if workers == 1:
        yield from map(score, pairs)
        return
    for pair, result in spread(score, pairs, workers):
        yield _unscored(pair, f"{pair.truth.name}: {result}") if isinstance(result, Died) else result


def score_pair(pair: Pair, judge: Judge) -> CaseResult:
    """Read and score one case. A missing, unreadable or misshapen prediction is scored as an empty one."""
    try:
        truth, spacing = _read_truth(pair.truth)
    except CaseError as error:
        return _unscored(pair, str(error))
    found, fault = np.zeros_like(truth), None
    try:
        found = _read_prediction(pair, truth.shape)
    except CaseError as error:
        fault = f"{error}; scored as empty"
    name, score = pair.truth.stem, judge.score(truth, found, spacing)
    return CaseResult(name, modality_of(name, volume=truth.ndim == 3), score, fault)


def _unscored(pair: Pair, fault: str) -> CaseResult:
    name = pair.truth.stem
    return CaseResult(name, modality_of(name, volume=False), None, f"{fault}; the case is left out")


def _read_truth(path: Path) -> tuple[LabelArray, Spacing | None]:
    truth = read_truth(path)
    if truth is None or truth.ndim not in {2, 3}:
        found = "no gts" if truth is None else f"gts of shape {truth.shape}"
        raise CaseError(f"{path.name}: has {found}, expected a label map gts, (H, W) or (D, H, W)")
    return truth, read_spacing(path) if truth.ndim == 3 else None


def _read_prediction(pair: Pair, shape: tuple[int, ...]) -> LabelArray:
    if pair.prediction is None:
        raise CaseError(f"{pair.truth.name}: has no prediction")
    found = read_segmentation(pair.prediction)
    if found.shape != shape:
        raise CaseError(f"{pair.truth.name}: segs has shape {found.shape}, expected the truth's {shape}")
    return found


def modality_of(name: str, *, volume: bool) -> str:
    """The second part of a name such as 2DBox_CT_0001; volumes are kept apart from pictures."""
    modality = modality_in_name(name) or "other"
    return f"3D {modality}" if volume else modality
