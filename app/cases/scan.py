"""What a file of any format holds, before grey levels and boxes are settled."""

from __future__ import annotations

from dataclasses import dataclass

from ..arrays import AnyArray, IntArray
from .geometry import VolumeGeometry


@dataclass(frozen=True)
class Structure:
    """What a box is drawn around: its value in the label map, 1 or more, and its name."""

    label: int
    name: str

    @classmethod
    def numbered(cls, label: int) -> Structure:
        """One without a name of its own."""
        return cls(label, f"Object {label}")


@dataclass(frozen=True, eq=False)
class Scan:
    """One file, or one folder of a series, as its format read it.

    values: any number type, rescale slope and intercept applied; pictures (H, W), (H, W, 3) or (H, W, 4), volumes
        (k, j, i) or (k, j, i, 3) in stored order. uint8 means grey levels or colours that are shown as they are.
    geometry: of a volume; None for a picture, and where only boxes tell the two apart (npz).
    modality: as DICOM names it (CT, MR, PT, US, ...), None where the file does not say.
    boxes: (N, 4) or (N, 6) int64 in stored pixels or voxels, which the file itself holds; None where it holds none.
    source: what the format needs to write label maps of this scan, of no concern to others.
    notes: what was assumed while reading, in words for the user.
    """

    name: str
    values: AnyArray
    geometry: VolumeGeometry | None = None
    modality: str | None = None
    boxes: IntArray | None = None
    source: object = None
    notes: tuple[str, ...] = ()

    @property
    def canonical_values(self) -> AnyArray:
        """`values` of a picture as they are, of a volume (z, y, x, ...)."""
        return self.values if self.geometry is None else self.geometry.to_canonical(self.values)

    @property
    def canonical_shape(self) -> tuple[int, ...]:
        """(H, W) or (z, y, x)."""
        return self.values.shape[:2] if self.geometry is None else self.geometry.canonical_shape
