"""What a page says of each case, read from the case, its prediction, its truth and the record of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from ..arrays import LabelArray
from ..cases.case import Case
from ..cases.challenge import read_segmentation, read_truth
from ..cases.discover import find_cases
from ..cases.failures import failure
from ..cases.formats import KINDS, NPZ, base_name, kind_of, output_name
from ..cases.label_maps import read_label_map
from ..cases.limits import Limits
from ..cases.open_case import OpenCase, Request, open_case
from ..errors import CaseError, InputError
from ..scoring.folders import CaseResult, Judge, Pair, modality_of, score_pair
from ..scoring.protocols import CaseScore
from .detail import Detail, choose_detail
from .panels import Panel, draw_panels, extent_of_case
from .recorded_run import RecordedCase, RecordedRun

_Read = TypeVar("_Read")


@dataclass(frozen=True)
class Sources:
    """Where to read, and how. truths: a folder of `.npz` with `gts`, None where the cases hold them."""

    cases: tuple[Path, ...]
    outputs: Path
    truths: Path | None
    run: RecordedRun | None
    request: Request
    judge: Judge

    def prediction(self, case: Path) -> Path:
        """Where the label map of a case is, or would be."""
        return self.outputs / output_name(case, self.run.written if self.run else None)

    def truth(self, case: Path) -> Path | None:
        """Where `gts` of a case may be."""
        if self.truths is not None:
            return self.truths / output_name(case, NPZ)
        return case if kind_of(case) is NPZ else None


@dataclass(frozen=True)
class Entry:
    """One case in the page. size: (H, W) or (D, H, W), empty where the case cannot be read.

    judged: None where no truth is known. faults: what is wrong with its files; notes: what was assumed about them.
    """

    name: str
    modality: str
    size: tuple[int, ...]
    objects: int
    panels: tuple[Panel, ...]
    judged: CaseResult | None
    recorded: RecordedCase | None
    faults: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def score(self) -> CaseScore | None:
        return self.judged.score if self.judged else None


def find_sources(
    outputs: Path,
    inputs: Sequence[Path],
    truths: Path | None,
    run: RecordedRun | None,
    request: Request,
    judge: Judge,
) -> Sources:
    """The cases of the inputs named, else of those that the run report names. Raises InputError.

    Without a run report only the challenge's files are taken, as no others say where their boxes are.
    """
    if not inputs and run is None:
        raise InputError(
            f"{outputs}: holds no run report, which would say where the cases are; name them with --input, "
            "or the report with --run, or let `swinlite predict --timing` write one"
        )
    if not inputs and run is not None:
        inputs = run.inputs
        if gone := [str(path) for path in inputs if not path.exists()]:
            raise InputError(f"{gone[0]}: read by the run, but no longer there; name the cases with --input")
    sources = Sources(tuple(find_cases(inputs, KINDS if run else (NPZ,))), outputs, truths, run, request, judge)
    _check_that_some_exist([sources.prediction(case) for case in sources.cases])
    if truths is not None:
        _check_that_some_exist([truths / output_name(case, NPZ) for case in sources.cases])
    return sources


def _check_that_some_exist(files: Sequence[Path]) -> None:
    if not any(file.exists() for file in files):
        raise InputError(
            f"{files[0].parent}: holds no file of a case, such as {files[0].name}; is it the right folder?"
        )


def read_entries(sources: Sources) -> Iterator[Entry]:
    """Each case in order of names, with as large pictures as all together leave room for. A bad case fails alone."""
    opened = (_attempt(path, partial(open_case, path, sources.request))[0] for path in sources.cases)
    detail = choose_detail([extent_of_case(one.case) for one in opened if one is not None])
    for path in sources.cases:
        yield _read_entry(path, sources, detail)


def _read_entry(path: Path, sources: Sources, detail: Detail) -> Entry:
    name, run = base_name(path), sources.run
    opened, case_fault = _attempt(path, partial(open_case, path, sources.request))
    found, found_fault = _attempt(path, partial(_read_found, sources.prediction(path), opened, sources.request.limits))
    truth, truth_fault = _attempt(path, partial(_read_truth, sources.truth(path), opened))
    judged = None if truth is None else _judge(path, sources)
    recorded, style = (run.cases.get(name), run.drawn_style(name)) if run else (None, None)
    faults = (recorded and recorded.error, case_fault, truth_fault, (judged and judged.fault) or found_fault)
    case = opened.case if opened else None
    labels = [structure.label for structure in opened.structures] if opened else []
    return Entry(
        name=name,
        modality=modality_of(name, volume=case is not None and case.is_volume),
        size=_size(case) if case else (),
        objects=len(labels),
        panels=draw_panels(case, labels, found, truth, style, detail) if case else (),
        judged=judged,
        recorded=recorded,
        faults=tuple(dict.fromkeys(fault for fault in faults if fault)),
        notes=case.notes if case else (),
    )


def _judge(case: Path, sources: Sources) -> CaseResult | None:
    """As `swinlite evaluate` scores a case, or None for label maps that it does not take."""
    truth, prediction = sources.truth(case), sources.prediction(case)
    if truth is None or kind_of(prediction) is not NPZ:
        return None
    return score_pair(Pair(truth, prediction if prediction.exists() else None), sources.judge)


def _attempt(path: Path, read: Callable[[], _Read]) -> tuple[_Read | None, str | None]:
    """What was read of a case, or why it could not be."""
    result: list[_Read] = []
    fault = failure(path, lambda: result.append(read()))
    return (result[0], None) if result else (None, fault)


def _read_found(path: Path, opened: OpenCase | None, limits: Limits) -> LabelArray:
    if not path.exists():
        raise CaseError(f"{path.name}: has no prediction")
    if opened is not None and kind_of(path) is not NPZ:
        return read_label_map(path, opened.scan, limits)
    found = read_segmentation(path)
    _check_shape(path, "segs", found, opened)
    return found


def _read_truth(path: Path | None, opened: OpenCase | None) -> LabelArray | None:
    truth = read_truth(path) if path is not None and path.exists() else None
    if path is not None and truth is not None:
        _check_shape(path, "gts", truth, opened)
    return truth


def _check_shape(path: Path, key: str, labels: LabelArray, opened: OpenCase | None) -> None:
    if opened is not None and labels.shape != _size(opened.case):
        raise CaseError(f"{path.name}: {key} has shape {labels.shape}, expected the image's {_size(opened.case)}")


def _size(case: Case) -> tuple[int, ...]:
    """(H, W) or (D, H, W)."""
    return case.image.shape[: 2 + case.is_volume]
