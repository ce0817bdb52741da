"""Boxes that come beside an image: from options, a JSON or CSV file, or a mask whose labels they surround.

A JSON file is {"space": SPACE, "boxes": [{"box": [...], "label": 2, "name": "liver", "case": "scan7"}, ...]}, where
`box` alone is needed: four numbers x_min, y_min, x_max, y_max for a picture, six with x_min, y_min, z_min first for a
volume. A CSV file has the columns x_min, y_min, x_max, y_max, with z_min and z_max for a volume, and, if wanted,
label, name, case and space. A box without a label has its number in the list, a box without a case is of every case.
SPACE is `voxel`, the default: the stored indices, maxima inclusive; or `ras_mm` or `lps_mm`: millimetres in a volume
with an affine (geometry.py says which way each axis leads).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from reprlib import repr as shortly
from typing import Any, Literal, get_args

import numpy as np

from ..arrays import DoubleArray, IntArray
from ..errors import CaseError, InputError, naming
from .boxes import COORDINATES, as_boxes
from .case import LARGEST_LABEL
from .discover import exists, file_of
from .formats import kind_of, stem_of
from .label_maps import read_label_map
from .limits import DEFAULT_LIMITS, Limits
from .scan import Scan, Structure
from .text_files import read_json, read_text

PlacedBoxes = tuple[IntArray, tuple[Structure, ...]]
"""(N, 4), or (N, 6) in canonical voxels, and what each is drawn around."""

BoxSource = Callable[[Scan], PlacedBoxes]
"""Gives the boxes of one scan. Raises CaseError."""

Space = Literal["voxel", "ras_mm", "lps_mm"]
_FAR = 2**31
_LONGEST_LABEL = 9  # digits
_TO_RAS = np.array([-1.0, -1, 1, -1, -1, 1])  # from LPS


@dataclass(frozen=True)
class GivenBox:
    """One box of a list: four or six corners in `space`; of the case named, or of every one."""

    corners: tuple[float, ...]
    structure: Structure
    space: Space = "voxel"
    case: str | None = None


@dataclass(frozen=True)
class BoxList:
    """A BoxSource of listed boxes. origin: what the list is called in messages."""

    boxes: tuple[GivenBox, ...]
    origin: str

    def __call__(self, scan: Scan) -> PlacedBoxes:
        ours = [box for box in self.boxes if box.case in {None, scan.name}]
        if not ours:
            raise CaseError(f"has no box of its own in {self.origin}")
        return np.concatenate([_placed(box, scan) for box in ours]), tuple(box.structure for box in ours)


@dataclass(frozen=True)
class BoxesOfMask:
    """A BoxSource: around each label of a label map, of any kind of file, that lies where the scan lies."""

    path: Path
    limits: Limits

    def __call__(self, scan: Scan) -> PlacedBoxes:
        from scipy.ndimage import find_objects

        labels = read_label_map(self.path, scan, self.limits)
        found = enumerate(find_objects(labels), 1)
        around = [(label, slices[::-1]) for label, slices in found if slices is not None]
        corners = [[s.start for s in slices] + [s.stop - 1 for s in slices] for _, slices in around]
        boxes = np.array(corners, np.int64).reshape(-1, 2 * labels.ndim)
        return boxes, tuple(Structure.numbered(label) for label, _ in around)


@dataclass(frozen=True)
class BoxFolder:
    """A BoxSource: the box file in a folder that has the scan's name."""

    folder: Path
    limits: Limits

    def __call__(self, scan: Scan) -> PlacedBoxes:
        return _source_of(file_of(scan.name, self.folder, beside=tuple(_READERS)), self.limits)(scan)


def boxes_from_options(options: Sequence[str]) -> BoxList:
    """`--box x0,y0,x1,y1[,label]` or six numbers; each of every case. Raises InputError."""
    boxes = []
    for number, text in enumerate(options, 1):
        numbers = text.split(",")
        corners, label = (numbers[:-1], numbers[-1]) if len(numbers) % 2 else (numbers, None)
        try:
            boxes.append(_given_box(number, corners, {"label": label}))
        except CaseError as error:
            raise InputError(f"--box {text}: {error}") from error
    return BoxList(tuple(boxes), "--box")


def boxes_from_path(path: Path, limits: Limits = DEFAULT_LIMITS) -> BoxSource:
    """A JSON or CSV file, a label map, or a folder of such files by case. Raises InputError."""
    if not exists(path):
        raise InputError(f"{path}: no such file or folder of boxes")
    try:
        return BoxFolder(path, limits) if path.is_dir() and kind_of(path) is None else _source_of(path, limits)
    except CaseError as error:
        raise InputError(str(error)) from error


def _source_of(path: Path, limits: Limits) -> BoxSource:
    reader = _READERS.get(path.suffix.lower())
    with naming(path):
        if reader is not None:
            return BoxList(tuple(reader(path)), path.name)
        if kind_of(path) is None:
            raise CaseError("is no file of boxes; expected .json, .csv or a label map")
        return BoxesOfMask(path, limits)


def _read_json(path: Path) -> list[GivenBox]:
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise CaseError(f"is no readable JSON ({error})") from error
    listed = content.get("boxes") if isinstance(content, dict) else None
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise CaseError('expected {"boxes": [{"box": [...]}, ...]}; the README shows one')
    return [
        _given_box(number, entry.get("box"), {"space": content.get("space")} | entry)
        for number, entry in enumerate(listed, 1)
    ]


def _read_csv(path: Path) -> list[GivenBox]:
    try:
        rows = list(csv.DictReader(StringIO(read_text(path))))
    except (OSError, ValueError, csv.Error) as error:
        raise CaseError(f"is no readable CSV ({error})") from error
    return [_given_box(number, _corners(row), row) for number, row in enumerate(rows, 1)]


def _corners(row: Mapping[str, str]) -> list[str]:
    return [row.get(name) or "" for name in COORDINATES[6 if row.get("z_min") else 4]]


def _given_box(number: int, corners: Any, about: Mapping[str, Any]) -> GivenBox:
    """Check one box and what is said about it; empty values count as left out. Raises CaseError."""
    said = {key: value for key, value in about.items() if value is not None and value != ""}
    space = said.get("space", "voxel")
    if space not in get_args(Space):
        raise CaseError(f"box {number}: space is {shortly(space)}, expected one of {', '.join(get_args(Space))}")
    numbers = _numbers(number, corners)
    if space == "voxel":
        as_boxes(numbers[None])
    label = _label(number, said.get("label", number))
    structure = Structure(label, str(said.get("name", Structure.numbered(label).name)))
    case = stem_of(Path(str(said["case"])).name) if "case" in said else None
    return GivenBox(tuple(numbers.tolist()), structure, space, case)


def _numbers(number: int, corners: Any) -> DoubleArray:
    """(4,) or (6,)."""
    try:
        found = np.array(corners, np.float64)
    except (OverflowError, TypeError, ValueError):
        found = np.array(np.nan)
    if found.shape not in {(4,), (6,)} or not np.all(np.abs(found) < _FAR):
        raise CaseError(f"box {number} is {shortly(corners)}, expected four numbers for a picture or six for a volume")
    return found


def _label(number: int, label: Any) -> int:
    text = str(label)
    if not text.isdecimal() or len(text) > _LONGEST_LABEL or not 1 <= int(text) <= LARGEST_LABEL:
        raise CaseError(f"box {number}: label is {shortly(label)}, expected a whole number in 1..{LARGEST_LABEL}")
    return int(text)


def _placed(box: GivenBox, scan: Scan) -> IntArray:
    """(1, 4), or (1, 6) in canonical voxels."""
    corners, geometry = np.array([box.corners]), scan.geometry
    what, width = ("a picture", 4) if geometry is None else ("a volume", 6)
    if len(box.corners) != width:
        raise CaseError(f"is {what}, whose boxes have {width} numbers; found one of {len(box.corners)}")
    if box.space == "voxel":
        whole = corners.astype(np.int64)
        return whole if geometry is None else geometry.boxes_to_canonical(whole)
    if geometry is None:
        raise CaseError("is a picture, whose boxes are in pixels; found one in millimetres")
    return geometry.boxes_from_mm(corners * _TO_RAS if box.space == "lps_mm" else corners)


_READERS = {".json": _read_json, ".csv": _read_csv}
