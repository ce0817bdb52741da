"""How large a case may be: checked as soon as a header says it, before the memory for it is taken."""

from __future__ import annotations

import math
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CaseError
from ..memory import needed_memory

if TYPE_CHECKING:
    from numpy import dtype


@dataclass(frozen=True)
class Limits:
    """What a reader may take of one case; the options `--max-...` of `predict` and `convert` set it.

    decompressed: bytes of a file on the disk, and of its arrays; by default half of the 8 GB that a run may use in the
    challenge, since an image lies in memory beside what is made of it. side: pixels or voxels along an axis; a square
    picture in colour of the default is of 2**30 pixels, as many as OpenCV decodes, and 3.2 GB. slices: of a volume, and
    files of a series. objects: boxes of a case. The default slices and objects take minutes to hours on two cores.
    memory: bytes that the process which segments the case may use.
    """

    decompressed: int = 4 * 10**9
    side: int = 1 << 15
    slices: int = 4096
    objects: int = 10_000
    memory: float = math.inf

    def admit(self, shape: Sequence[int], kind: dtype[Any]) -> None:
        """An array that a header describes. Raises CaseError where it is too large, or nothing that can be."""
        if any(size < 0 for size in shape):
            raise CaseError(f"states an array of shape {tuple(shape)}; it is damaged")
        if max(shape, default=0) > self.side:
            raise CaseError(
                f"states an array of shape {tuple(shape)}, expected at most {self.side} along a side; "
                "if it is meant to be that large, raise --max-side"
            )
        self.admit_bytes(math.prod(shape) * kind.itemsize, f"states an array of shape {tuple(shape)}, {kind},")
        if (needed := needed_memory(shape, kind.itemsize)) > self.memory:
            raise CaseError(
                f"states an array of shape {tuple(shape)}, {kind}, which needs {size_in_words(needed)} of memory to be "
                f"segmented, of {size_in_words(int(self.memory))}; raise --memory-limit if there is more, or split it"
            )

    def admit_bytes(self, size: int, what: str = "holds arrays") -> None:
        """Bytes on the disk or in memory. what: the message begins with it. Raises CaseError."""
        if size > self.decompressed:
            raise CaseError(
                f"{what} of {size_in_words(size)}, expected at most {size_in_words(self.decompressed)}; "
                "if it is meant to be that large, raise --max-decompressed"
            )

    def admit_file(self, path: Path) -> None:
        """A file before it is opened: a pipe or device has no end. Raises CaseError, and OSError where it is gone."""
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise CaseError("is no regular file; copy its contents into one")
        self.admit_bytes(status.st_size, "is a file")

    def admit_slices(self, count: int) -> None:
        """Raises CaseError."""
        if not 0 < count <= self.slices:
            raise CaseError(f"has {count} slices, expected 1 to {self.slices}; if there are more, raise --max-slices")

    def admit_objects(self, count: int) -> None:
        """Raises CaseError."""
        if count > self.objects:
            raise CaseError(
                f"has {count} boxes, expected at most {self.objects}; if there are more, raise --max-objects"
            )


DEFAULT_LIMITS = Limits()


def size_in_words(size: int) -> str:
    """Bytes as people write them: 4 GB is 4,000,000,000."""
    for power, unit in ((12, "TB"), (9, "GB"), (6, "MB"), (3, "kB")):
        if size >= 10**power:
            return f"{size / 10**power:.3g} {unit}"
    return f"{size} bytes"
