"""One case at a time by all systems in turn, each run a fresh process; then what their label maps are worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ..arrays import LabelArray
from ..cases.challenge import read_case, read_segmentation, read_truth
from ..errors import CaseError
from ..processes import apart
from ..scoring.metrics import mean_dice
from .systems import Run, System, run_once

Listener = Callable[[str, str, str], None]  # is told the case, the system, and what became of a run


@dataclass(frozen=True)
class Outcome:
    """One case by one system. ratios: its seconds to those of the first system in the same round.

    dsc: mean over objects, None without truth. fault: why there are fewer runs than rounds, or no DSC.
    """

    system: str
    runs: tuple[Run, ...]
    ratios: tuple[float, ...]
    dsc: float | None
    fault: str | None

    @property
    def seconds(self) -> float | None:
        return median(run.seconds for run in self.runs) if self.runs else None

    @property
    def peak_memory_mib(self) -> float | None:
        return max((run.peak_memory_mib for run in self.runs if run.peak_memory_mib is not None), default=None)

    @property
    def parts(self) -> dict[str, float]:
        """Medians, by part; empty where not every run has them."""
        named = self.runs[0].parts if self.runs and all(run.parts for run in self.runs) else ()
        return {part: median(run.parts[part] for run in self.runs) for part in named}


@dataclass(frozen=True)
class CaseTimes:
    """One case by all systems. size: of its image, as stored; None where the case cannot be read."""

    name: str
    size: tuple[int, ...] | None
    objects: int | None
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class _Verdict:
    """Of one case: what it is, and by system its DSC or what is wrong with it."""

    size: tuple[int, ...] | None
    objects: int | None
    dsc: dict[str, float]
    faults: dict[str, str]


class Bench:
    """Times systems. results: the folder that gets a folder of label maps for each. group: see run_once."""

    def __init__(self, systems: Sequence[System], results: Path, group: Path | None, listen: Listener) -> None:
        self._systems = tuple(systems)
        self._results = results
        self._group = group
        self._listen = listen

    def warm_up(self, case: Path, runs: int) -> None:
        """Let every system read its files and make what it keeps; a failure will show again where it counts."""
        for system in self._systems:
            for _ in range(runs):
                with suppress(CaseError):
                    self._run(system, case, "warm-up, ")

    def time(self, case: Path, rounds: int) -> CaseTimes:
        """Run a case `rounds` times by each system, the order turned about after every round."""
        runs, faults = self._take_turns(case, rounds)
        verdict = apart(_judge, case, {name: self._results / name / case.name for name in runs if runs[name]})
        first = runs[self._systems[0].name]
        outcomes = (
            Outcome(
                system=name,
                runs=tuple(own),
                ratios=tuple(run.seconds / base.seconds for run, base in zip(own, first, strict=False)),
                dsc=verdict.dsc.get(name),
                fault=faults.get(name) or verdict.faults.get(name),
            )
            for name, own in runs.items()
        )
        return CaseTimes(case.stem, verdict.size, verdict.objects, tuple(outcomes))

    def _take_turns(self, case: Path, rounds: int) -> tuple[dict[str, list[Run]], dict[str, str]]:
        """Runs, and why there are no more of them, by system; one that fails leaves the rounds that follow."""
        runs: dict[str, list[Run]] = {system.name: [] for system in self._systems}
        faults: dict[str, str] = {}
        for number in range(rounds):
            for system in self._systems[:: -1 if number % 2 else 1]:
                if system.name not in faults:
                    try:
                        runs[system.name].append(self._run(system, case))
                    except CaseError as error:
                        faults[system.name] = str(error)
        return runs, faults

    def _run(self, system: System, case: Path, purpose: str = "") -> Run:
        try:
            run = run_once(system, case, self._results / system.name, self._group)
        except (CaseError, OSError) as error:
            self._listen(case.stem, system.name, f"{purpose}FAILED: {error}")
            raise CaseError(str(error)) from error
        self._listen(case.stem, system.name, f"{purpose}{run.seconds:.2f} s")
        return run


def _judge(path: Path, found: dict[str, Path]) -> _Verdict:
    """Read a case, and score the label maps found, by system."""
    try:
        case, truth = read_case(path), read_truth(path)
    except CaseError as error:
        return _Verdict(None, None, {}, dict.fromkeys(found, str(error)))
    dsc: dict[str, float] = {}
    faults: dict[str, str] = {}
    for system, file in found.items():
        try:
            score = _score(read_segmentation(file), case.image.shape[: 3 if case.is_volume else 2], truth)
        except CaseError as error:
            faults[system] = str(error)
        else:
            if not math.isnan(score):
                dsc[system] = score
    return _Verdict(case.image.shape, len(case.boxes), dsc, faults)


def _score(labels: LabelArray, shape: tuple[int, ...], truth: LabelArray | None) -> float:
    """DSC, NaN without truth or objects. Raises CaseError where a label map has another shape than the image."""
    for key, array in (("segs", labels), ("gts", truth)):
        if array is not None and array.shape != shape:
            raise CaseError(f"{key} has shape {array.shape}, expected the image's {shape}")
    return math.nan if truth is None else mean_dice(truth, labels)
