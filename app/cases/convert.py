"""From files of any kind to the challenge's cases, and from its label maps back to files of any kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from ..arrays import LabelArray
from ..errors import CaseError, naming
from .case import empty_labels
from .challenge import write_case
from .discover import file_of
from .failures import failure
from .formats import NPZ, base_name, output_name, written_suffix
from .given_boxes import BoxesOfMask
from .label_maps import read_label_map, write_label_map
from .limits import Limits
from .open_case import Request, open_case, read_scan
from .scan import Structure


@dataclass
class Converted:
    """What became of one file; `error` is None where its output was written."""

    name: str
    notes: tuple[str, ...] = ()
    error: str | None = None


def to_challenge(paths: Sequence[Path], folder: Path, request: Request, truth: Path | None) -> Iterator[Converted]:
    """Write each case as npz; truth: its label map, or a folder of label maps, of any kind, that becomes `gts`."""
    yield from _each(paths, partial(_to_challenge, folder, request, truth))


def like_original(paths: Sequence[Path], folder: Path, original: Path, limits: Limits) -> Iterator[Converted]:
    """Write each label map as one of `original`, or of the image of its name if that is a folder."""
    yield from _each(paths, partial(_like_original, folder, original, limits))


def _each(paths: Sequence[Path], convert: Callable[[Path, Converted], None]) -> Iterator[Converted]:
    for path in paths:
        result = Converted(base_name(path))
        result.error = failure(path, partial(convert, path, result))
        yield result


def _to_challenge(folder: Path, request: Request, truth: Path | None, path: Path, result: Converted) -> None:
    mask = None
    if truth is not None:
        with naming(path):
            mask = file_of(base_name(path), truth)
        request = replace(request, boxes=request.boxes or BoxesOfMask(mask, request.limits))
    opened = open_case(path, request)
    gts, notes = None, opened.case.notes
    with naming(path):
        if mask is not None:
            gts, note = _numbered_by_box(read_label_map(mask, opened.scan, request.limits), opened.structures)
            notes += note
    geometry = opened.scan.geometry
    write_case(folder / output_name(path, NPZ), opened.case, geometry.spacing_mm if geometry else None, gts)
    result.notes = notes


def _numbered_by_box(truth: LabelArray, structures: Sequence[Structure]) -> tuple[LabelArray, tuple[str, ...]]:
    """Labels to the numbers of their boxes, as in `segs`, and what of it is to be said. Raises CaseError."""
    labels = [structure.label for structure in structures]
    if len(set(labels)) < len(labels):
        raise CaseError("two boxes have one label, so the truth does not tell which is whose; label them apart")
    present = [label for label in np.unique(truth).tolist() if label]
    table = empty_labels((max([0, *labels, *present]) + 1,), len(labels))
    table[labels] = np.arange(1, len(labels) + 1)
    without = [str(label) for label in present if label not in labels]
    changed = [f"{label} to {number}" for number, label in enumerate(labels, 1) if label != number]
    notes = (
        f"labels of the truth without a box are left out: {', '.join(without)}" if without else "",
        f"labels are numbered as their boxes: {', '.join(changed)}" if changed else "",
    )
    return table[truth], tuple(note for note in notes if note)


def _like_original(folder: Path, original: Path, limits: Limits, path: Path, result: Converted) -> None:
    with naming(path):
        source = file_of(result.name, original)
    with naming(source):
        kind, scan = read_scan(source, limits)
    labels = read_label_map(path, scan, limits)
    present = [label for label in np.unique(labels).tolist() if label]
    narrow = labels.astype(empty_labels((), max(present, default=0)).dtype)
    structures = [Structure.numbered(label) for label in present]
    output = folder / f"{result.name}{written_suffix(source)}"
    with naming(path):
        if output.resolve() in {path.resolve(), source.resolve()}:
            raise CaseError(f"would overwrite {output}; choose another folder")
        write_label_map(output, narrow, scan, kind, structures)
