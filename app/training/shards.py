"""Training pictures from disk: tar shards of WebP pictures, and folders of challenge cases."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..arrays import AnyArray, ByteArray, LabelArray
from ..cases.challenge import SUFFIX, read_case, read_truth
from ..cases.decoding import decode
from ..cases.pictures import stated_array
from ..errors import CaseError, InputError
from ..frame import SIDE, Geometry

_SHARD, _PICTURE, _LABELS = ".tar", ".webp", ".png"
_LONGEST = 4096  # pixels a side of what is to become 256 x 256


@dataclass(frozen=True)
class TrainingPicture:
    """A picture (H, W) or (H, W, 3) uint8 whose longest side is 256, and its label map (H, W) where it has one."""

    modality: str
    dataset: str
    image: ByteArray
    labels: LabelArray | None = None


def read_pictures(sources: Iterable[Path]) -> Iterator[TrainingPicture]:
    """Pictures of `.tar` shards and of challenge cases, given as files or by their folders; of volumes every slice.

    A shard's modality is its file's name and a picture's data set its folder in the shard; a case's modality
    is the second part of its name. Raises InputError or CaseError that names the file.
    """
    for source in sources:
        files = sorted(source.glob("[!.]*")) if source.is_dir() else [source]
        for path in files:
            if path.suffix == SUFFIX:
                yield from _from_case(path)
            elif path.suffix == _SHARD or path is source:
                yield from _from_shard(path)


def _from_shard(path: Path) -> Iterator[TrainingPicture]:
    try:
        with tarfile.open(path, "r:") as shard:
            # Only plain files are read, none that is larger than its bytes, and nothing is ever unpacked to disk.
            files = {member.name: member for member in shard if member.isfile() and not member.issparse()}
            for name in sorted(name for name in files if name.endswith(_PICTURE)):
                image = cv2.cvtColor(_decode(shard, files[name], cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
                truth = files.get(name.removesuffix(_PICTURE) + _LABELS)
                labels = None if truth is None else _decode(shard, truth, cv2.IMREAD_UNCHANGED)
                yield _at_frame_size(path.stem, name.partition("/")[0], image, labels)
    except (tarfile.TarError, OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a shard of training pictures: {error}") from error


def _decode(shard: tarfile.TarFile, member: tarfile.TarInfo, how: int) -> AnyArray:
    file = shard.extractfile(member)
    content = file.read() if file else b""
    try:
        height, width, _ = stated_array(content)[0]
    except CaseError as error:
        raise ValueError(f"{member.name} {error}") from error
    if max(height, width) > _LONGEST:
        raise ValueError(f"{member.name} has {height} x {width} pixels, expected at most {_LONGEST} a side")
    decoded = decode(content, how)
    if decoded is None:
        raise ValueError(f"{member.name} is no picture")
    return decoded


def _from_case(path: Path) -> Iterator[TrainingPicture]:
    case, truth = read_case(path), read_truth(path)
    plane_axes = 3 if case.is_volume else 2
    if truth is not None and truth.shape != case.image.shape[:plane_axes]:
        raise InputError(f"{path}: gts has shape {truth.shape}, expected {case.image.shape[:plane_axes]} as imgs has")
    modality = (case.name.split("_") + [""])[1]
    images = case.image if case.is_volume else [case.image]
    planes = [None] * len(images) if truth is None else truth if case.is_volume else [truth]
    for image, labels in zip(images, planes, strict=True):
        yield _at_frame_size(modality, path.parent.name, image, labels)


def _at_frame_size(modality: str, dataset: str, image: AnyArray, labels: AnyArray | None) -> TrainingPicture:
    if labels is not None and labels.shape != image.shape[:2]:
        raise ValueError(f"a label map of {labels.shape} lies over a picture of {image.shape[:2]} in {dataset}")
    if max(image.shape[:2]) != SIDE:
        height, width = Geometry(*image.shape[:2]).resized
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        if labels is not None:
            labels = cv2.resize(labels.astype(np.uint16), (width, height), interpolation=cv2.INTER_NEAREST)
    return TrainingPicture(modality, dataset, np.asarray(image, np.uint8), labels)
