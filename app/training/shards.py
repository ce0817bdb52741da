"""Training pictures from disk: tar shards of WebP pictures, and folders of challenge cases."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..arrays import ByteArray
from ..cases.challenge import SUFFIX, read_case
from ..errors import InputError
from ..frame import SIDE, Geometry

_SHARD, _PICTURE = ".tar", ".webp"


@dataclass(frozen=True)
class TrainingPicture:
    """A picture (H, W) or (H, W, 3) uint8 whose longest side is 256."""

    modality: str
    dataset: str
    image: ByteArray


def read_pictures(sources: Iterable[Path]) -> Iterator[TrainingPicture]:
    """Pictures of `.tar` shards and of challenge cases, given as files or by their folders; of volumes every slice.

    A shard's modality is its file's name and a picture's data set its folder in the shard; a case's modality
    is the second part of its name. Raises InputError or CaseError that names the file.
    """
    for source in sources:
        files = sorted(source.iterdir()) if source.is_dir() else [source]
        for path in files:
            if path.suffix == SUFFIX:
                yield from _from_case(path)
            elif path.suffix == _SHARD or path is source:
                yield from _from_shard(path)


def _from_shard(path: Path) -> Iterator[TrainingPicture]:
    try:
        with tarfile.open(path, "r:") as shard:
            # Only plain files are read, and nothing is ever unpacked to disk.
            members = [member for member in shard if member.isfile() and member.name.endswith(_PICTURE)]
            for member in sorted(members, key=lambda member: member.name):
                yield TrainingPicture(path.stem, member.name.partition("/")[0], _at_frame_size(_decode(shard, member)))
    except (tarfile.TarError, OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a shard of training pictures: {error}") from error


def _decode(shard: tarfile.TarFile, member: tarfile.TarInfo) -> ByteArray:
    file = shard.extractfile(member)
    content = np.frombuffer(file.read() if file else b"", np.uint8)
    decoded = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    if decoded is None:
        raise ValueError(f"{member.name} is no picture")
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def _from_case(path: Path) -> Iterator[TrainingPicture]:
    case = read_case(path)
    modality = (case.name.split("_") + [""])[1]
    for image in case.image if case.is_volume else [case.image]:
        yield TrainingPicture(modality, path.parent.name, _at_frame_size(image))


def _at_frame_size(image: ByteArray) -> ByteArray:
    if max(image.shape[:2]) == SIDE:
        return image
    height, width = Geometry(*image.shape[:2]).resized
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
