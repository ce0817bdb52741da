"""The Python API: load a model once, set an image or a volume once, segment boxes many times."""

from __future__ import annotations

import math
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
from numpy.typing import ArrayLike

from ..arrays import AnyArray, ByteArray, LabelArray, Spacing
from ..cases.boxes import as_boxes, fit_boxes
from ..cases.case import Case
from ..cases.make_case import as_picture, as_volume, extent_of
from ..engines.engine import Engine, EngineInfo
from ..engines.load import EngineChoice, PrecisionChoice, load_engine
from ..errors import CaseError, InputError
from ..memory import MODEST_MEMORY, MemoryPlan, plan_memory
from ..prompts.prompt import PromptMaker
from ..prompts.rules import PromptStyle
from ..threads import available_threads
from .clock import StageClock
from .image import EncodedImage
from .slice_cache import SliceCache
from .slice_decoding import PromptListener
from .strategy import Views
from .views import EncodedViews, slice_distance
from .volume import EncodedVolume

_DEFAULT_STYLE = PromptStyle()

Encoded = EncodedImage | EncodedVolume | EncodedViews


class Segmenter:
    """A loaded model. `set_image` and `set_volume` take plain arrays; `segment_case` takes a whole case.

    memory: bytes that the process may use for one case; with more, more slices of a volume are kept, as long as the
    volume itself.
    """

    def __init__(
        self,
        engine: Engine,
        style: PromptStyle = _DEFAULT_STYLE,
        memory: int = MODEST_MEMORY,
        views: Views = "axial",
    ) -> None:
        self._engine = engine
        self._style = style if engine.reads_points_and_scribble else PromptStyle(parts="box")
        self._memory = memory
        self.views = views

    def with_views(self, views: Views) -> Segmenter:
        """The same loaded model, of volumes keeping what the axial sweep finds, or what two of three views agree on."""
        return Segmenter(self._engine, self._style, self._memory, views)

    @property
    def info(self) -> EngineInfo:
        """Which model computes, and how."""
        return self._engine.info

    @property
    def facts(self) -> dict[str, Any]:
        """For the run report: `info`, and how prompts are made, as the model heeds it."""
        return asdict(self.info) | {"prompts": asdict(self._style)}

    def set_image(self, image: AnyArray, name: str = "") -> PreparedImage:
        """Encode a picture (H, W), (H, W, 3) or (H, W, 4) of any number type.

        Random prompts are seeded by `name` among others; the challenge's files use their file name.
        Raises CaseError; what was assumed about the pixels is a warning.
        """
        pixels, note = as_picture(image)
        _warn(note)
        encoded = EncodedImage(pixels, self._engine, StageClock(), plan_memory(self._memory, pixels.shape).prompts)
        return PreparedImage(encoded, extent_of(pixels, volume=False), self._maker(name))

    def set_volume(self, volume: AnyArray, name: str = "", spacing_mm: Spacing | None = None) -> PreparedImage:
        """Prepare a volume (D, H, W) or (D, H, W, 3) of any number type; slices are encoded when needed and kept.

        spacing_mm: (z, y, x), of use where there are views other than the axial one. Raises CaseError.
        """
        if spacing_mm is not None and not all(0 < side < math.inf for side in spacing_mm):
            raise CaseError(f"spacing is {spacing_mm}, expected three positive numbers of mm")
        pixels, note = as_volume(volume)
        _warn(note)
        encoded = self._encoded_volume(pixels, spacing_mm, plan_memory(self._memory, pixels.shape))
        return PreparedImage(encoded, extent_of(pixels, volume=True), self._maker(name))

    def segment_case(
        self, case: Case, clock: StageClock, listener: PromptListener | None = None, kept_bytes: int = 0
    ) -> LabelArray:
        """Label map of a case, (H, W) or (D, H, W), with the time that each stage took added to `clock`.

        kept_bytes: of memory that the caller holds meanwhile, beside the case.
        """
        encoded: Encoded
        plan = plan_memory(self._memory - kept_bytes, case.image.shape)
        if case.is_volume:
            encoded = self._encoded_volume(case.image, case.spacing_mm, plan)
        else:
            encoded = EncodedImage(case.image, self._engine, clock, plan.prompts)
        return encoded.segment(case.boxes, case.inside, self._maker(case.name), clock, listener)

    def _encoded_volume(self, volume: ByteArray, spacing_mm: Spacing | None, plan: MemoryPlan) -> Encoded:
        cache = SliceCache(plan.cache)
        if self.views == "axial":
            return EncodedVolume(volume, self._engine, cache, plan.prompts)
        return EncodedViews(volume, self._engine, cache, plan.prompts, slice_distance(spacing_mm))

    def _maker(self, case: str) -> PromptMaker:
        return PromptMaker(case, self._style)


class PreparedImage:
    """A picture or volume that is set; made by Segmenter."""

    def __init__(self, encoded: Encoded, extent: tuple[int, ...], maker: PromptMaker) -> None:
        self._encoded = encoded
        self._extent = extent
        self._maker = maker

    def segment(self, boxes: ArrayLike) -> LabelArray:
        """Boxes in original pixels to a label map of the image's shape: 0 background, k object of box k.

        boxes: (N, 4) as x_min, y_min, x_max, y_max, or for a volume (N, 6) as x_min, y_min, z_min, x_max,
        y_max, z_max with z_max inclusive; a single box may be flat. Where objects overlap the later one
        wins; segment boxes one by one to get each mask whole. Raises CaseError; swapped or clipped boxes
        are a warning.
        """
        clean = as_boxes(boxes)
        width = 2 * len(self._extent)
        if len(clean) and clean.shape[1] != width:
            raise CaseError(f"boxes has shape {clean.shape}, expected (N, {width}) for an image of this kind")
        fitted, inside, notes = fit_boxes(clean.reshape(-1, width), self._extent)
        for note in notes:
            _warn(note)
        return self._encoded.segment(fitted, inside, self._maker, StageClock())


def load_segmenter(
    model: str | None = None,
    *,
    weights: Path | str | None = None,
    engine: EngineChoice = "auto",
    precision: PrecisionChoice = "auto",
    threads: int | None = None,
    memory: int = MODEST_MEMORY,
    style: PromptStyle = _DEFAULT_STYLE,
) -> Segmenter:
    """Load a model of the manifest by name (default: the best there is), or weights from any file.

    engine: auto takes OpenVINO where it is installed, and torch without it or for prompts that its graphs do not
    take (`PromptStyle.whole`). precision: auto takes bfloat16 where the processor has it and the model's masks
    are known to stay the same. threads: of the processor, default all that this process may use. memory: bytes
    that it may use (`Segmenter`). style: of the prompts made from boxes; a model that reads boxes alone heeds none of
    it. Raises WeightsError, and InputError where engine or precision cannot be had.
    """
    threads = threads or available_threads()
    cv2.setNumThreads(threads)
    file = None if weights is None else Path(weights)
    if engine == "auto" and not style.whole:
        engine = "torch"
    loaded = load_engine(model, file, engine, precision, threads)
    if engine == "openvino" and loaded.reads_points_and_scribble and not style.whole:
        raise InputError(
            f"{loaded.info.model} on OpenVINO decodes boxes with points and a scribble on the image alone, "
            f"not {style.parts} by {style.guide}; take --engine torch"
        )
    return Segmenter(loaded, style, memory)


def _warn(note: str | None) -> None:
    if note:
        warnings.warn(note, stacklevel=3)
