"""A file of any kind opened as a case: format found, grey levels made, boxes placed; and its labels put back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..arrays import LabelArray
from ..errors import CaseError, naming
from .case import Case, empty_labels
from .formats import NPZ, Kind, base_name, required_kind
from .given_boxes import BoxSource, PlacedBoxes
from .intensities import AS_IT_SAYS, GreyScale
from .label_maps import write_label_map
from .limits import DEFAULT_LIMITS, Limits
from .make_case import make_case
from .scan import Scan, Structure


@dataclass(frozen=True)
class Request:
    """What the user asks of every case of a run.

    boxes: where boxes come from; None for those that the files hold. limits: of what is read.
    """

    grey: GreyScale = AS_IT_SAYS
    boxes: BoxSource | None = None
    limits: Limits = DEFAULT_LIMITS


@dataclass(frozen=True, eq=False)
class OpenCase:
    """A case ready to be segmented, in canonical order, with what is needed to write its labels.

    structures: one a box.
    """

    case: Case
    kind: Kind
    scan: Scan
    structures: tuple[Structure, ...]

    @property
    def kept_bytes(self) -> int:
        """Of the values as stored, where the case's image is not the same memory."""
        return 0 if np.may_share_memory(self.scan.values, self.case.image) else self.scan.values.nbytes


def open_case(path: Path, request: Request) -> OpenCase:
    """Read a file of any kind, or a folder of one. Raises CaseError, naming it."""
    with naming(path):
        kind, scan = read_scan(path, request.limits)
        if scan.geometry is not None:
            request.limits.admit_slices(scan.canonical_shape[0])
        boxes, structures = (request.boxes or _own_boxes)(scan)
        request.limits.admit_objects(len(boxes))
        grey = request.grey.rule_for_npz() if kind is NPZ else request.grey.rule(scan.modality)
        case = make_case(scan.name, scan.canonical_values, boxes, scan.geometry is not None, grey)
        spacing_mm = None if scan.geometry is None else scan.geometry.spacing_mm
        whole = replace(case, notes=(*scan.notes, *case.notes), spacing_mm=spacing_mm)
        return OpenCase(whole, kind, scan, structures)


def read_scan(path: Path, limits: Limits) -> tuple[Kind, Scan]:
    """A file of any kind, or a folder of one, as its format reads it, under its case's name. Raises CaseError."""
    kind = required_kind(path)
    try:
        reader, before = kind.load(), _state(path)
        scan = reader.read(path, limits)
        if _state(path) != before:
            raise CaseError("changed while it was read; run it again when it is written to its end")
    except OSError as error:
        raise CaseError(f"cannot be read: {error.strerror or error}") from error
    return kind, replace(scan, name=base_name(path))


def _state(path: Path) -> list[tuple[str, int, int]]:
    """Name, bytes and time of the last change of a file, or of all in a folder. Raises OSError."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    stats = [file.stat() for file in files]
    return [(file.name, stat.st_size, stat.st_mtime_ns) for file, stat in zip(files, stats, strict=True)]


def save_labels(path: Path, labels: LabelArray, opened: OpenCase, written: Kind | None = None) -> None:
    """Write what was found, (H, W) or (z, y, x) with k in box k, under the labels that the boxes have.

    written: the kind of file, None for the case's own. Raises CaseError and OSError.
    """
    labels = _with_values(labels, opened.structures)
    write_label_map(path, labels, opened.scan, written or opened.kind, opened.structures)


def _own_boxes(scan: Scan) -> PlacedBoxes:
    if scan.boxes is None:
        raise CaseError("has no boxes; give them with --box or --boxes")
    boxes = scan.boxes if scan.geometry is None else scan.geometry.boxes_to_canonical(scan.boxes.reshape(-1, 6))
    return boxes, tuple(Structure.numbered(k) for k in range(1, len(boxes) + 1))


def _with_values(labels: LabelArray, structures: Sequence[Structure]) -> LabelArray:
    """k to the label of structure k, in the narrowest type that holds them."""
    values = np.array([0, *(structure.label for structure in structures)])
    if np.array_equal(values, np.arange(len(values))):
        return labels
    table = empty_labels(values.shape, int(values.max()))
    table[:] = values
    return table[labels]
