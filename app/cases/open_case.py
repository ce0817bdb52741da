"""A file of any kind opened as a case: format found, grey levels made, boxes placed; and its labels put back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ..arrays import AnyArray, IntArray, LabelArray
from ..errors import CaseError, naming
from .case import Case
from .formats import KINDS, NPZ, Kind, base_name, kind_of
from .make_case import make_case
from .scan import Scan, Structure


@dataclass(frozen=True, eq=False)
class OpenCase:
    """A case ready to be segmented, in canonical order, with what is needed to write its labels.

    structures: of the boxes in their order; empty where box k is simply object k.
    """

    case: Case
    kind: Kind
    scan: Scan
    structures: tuple[Structure, ...] = ()


def open_case(path: Path) -> OpenCase:
    """Read a file of any kind, or a folder of one. Raises CaseError, naming it."""
    with naming(path):
        kind = _kind(path)
        try:
            scan = replace(kind.load().read(path), name=base_name(path))
        except OSError as error:
            raise CaseError(f"cannot be read: {error.strerror or error}") from error
        case = make_case(scan.name, _canonical(scan), _boxes(scan), scan.geometry is not None)
        return OpenCase(replace(case, notes=(*scan.notes, *case.notes)), kind, scan)


def save_labels(path: Path, labels: LabelArray, opened: OpenCase, written: Kind | None = None) -> None:
    """Write labels (H, W) or (z, y, x) of an open case, by default as its own kind. Raises CaseError and OSError."""
    kind, geometry = written or opened.kind, opened.scan.geometry
    if geometry is not None and kind is not NPZ:
        labels = geometry.to_stored(labels)
    kind.load().write(path, labels, opened.scan, opened.structures)


def _canonical(scan: Scan) -> AnyArray:
    return scan.values if scan.geometry is None else scan.geometry.to_canonical(scan.values)


def _boxes(scan: Scan) -> IntArray:
    """(N, 4), or (N, 6) in canonical order."""
    if scan.boxes is None:
        raise CaseError("has no boxes")
    return scan.boxes if scan.geometry is None else scan.geometry.boxes_to_canonical(scan.boxes.reshape(-1, 6))


def _kind(path: Path) -> Kind:
    """Of a case. Raises CaseError where there is none such."""
    kind = kind_of(path)
    if kind is None:
        endings = ", ".join(suffix for known in KINDS for suffix in known.suffixes)
        raise CaseError(f"is of no known kind; expected a name that ends in one of {endings}")
    return kind
