"""All training pictures in the memory of the device that trains, so that it never waits for the disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..frame import SIDE
from .shards import TrainingPicture


class PictureStore:
    """pixels (N, 3, 256, 256) uint8, content at the upper left; sizes (N, 2), its height and width; and
    labels (N, 256, 256) int16, 0 background and 1, 2, ... its objects, all zero where a picture has none.

    `datasets` are the names of theirs. `share` (N,) is the probability of each picture: modalities weigh the same
    or as `emphasis` says, and so do the data sets within a modality. With `labelled_only`, pictures without objects
    are left out.
    """

    def __init__(
        self,
        pictures: Iterable[TrainingPicture],
        device: torch.device,
        labelled_only: bool = False,
        emphasis: Mapping[str, float] | None = None,
    ) -> None:
        frames, labels, sizes, groups = [], [], [], []
        for picture in pictures:
            if labelled_only and (picture.labels is None or not picture.labels.any()):
                continue
            frames.append(_padded(picture))
            labels.append(_padded_labels(picture))
            sizes.append(picture.image.shape[:2])
            groups.append((picture.modality, picture.dataset))
        if not frames:
            raise InputError("no training pictures in the sources given")
        self.pixels = torch.from_numpy(np.stack(frames)).to(device)
        self.labels = torch.from_numpy(np.stack(labels)).to(device)
        self.sizes = torch.tensor(sizes, dtype=torch.float32, device=device)
        self.datasets = frozenset(dataset for _, dataset in groups)
        self.share = _balanced(groups, emphasis or {}).to(device)

    def __len__(self) -> int:
        return len(self.pixels)

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Indices (count,) of pictures, drawn with replacement."""
        return torch.multinomial(self.share, count, replacement=True, generator=generator)


def _padded(picture: TrainingPicture) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    frame = np.zeros((3, SIDE, SIDE), np.uint8)
    height, width = picture.image.shape[:2]
    image = picture.image if picture.image.ndim == 3 else picture.image[..., None]
    frame[:, :height, :width] = image.transpose(2, 0, 1)
    return frame


def _padded_labels(picture: TrainingPicture) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    frame = np.zeros((SIDE, SIDE), np.int16)
    if picture.labels is not None:
        height, width = picture.labels.shape
        # Numbered anew, since what a file calls its objects may be beyond int16.
        frame[:height, :width] = np.searchsorted(np.union1d(0, picture.labels), picture.labels)
    return frame


def _balanced(groups: list[tuple[str, str]], emphasis: Mapping[str, float]) -> Tensor:
    pictures = Counter(groups)
    datasets = Counter(modality for modality, _ in pictures)
    weights = [emphasis.get(group[0], 1) / (datasets[group[0]] * pictures[group]) for group in groups]
    return torch.tensor(weights) / sum(weights)
