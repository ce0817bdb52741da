"""The pictures of one case in the page: a picture, or slices of a volume, and what is drawn over each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal

import numpy as np

from ..arrays import AnyArray, IntArray, LabelArray
from ..cases.case import Case
from ..frame import Geometry, make_frame
from ..prompts.prompt import Prompt, PromptMaker
from ..prompts.rules import PromptStyle
from .detail import Detail, Extent, encode_picture
from .outlines import Shapes, box_path, outlines, points_path
from .overlay import reached_slices, resized_bgr, slices_to_show

Layer = Literal["box", "points", "scribble", "prediction", "truth"]


@dataclass
class Panel:
    """A picture, or slice `slice_index` of a volume: WebP, and what each layer draws over it.

    labelled: pixels that prediction and truth hold here, both counted.
    """

    slice_index: int
    picture: bytes
    layers: dict[Layer, Shapes] = field(default_factory=dict)
    labelled: int = 0

    def add(self, layer: Layer, shapes: Shapes) -> None:
        self.layers.setdefault(layer, []).extend(shapes)


def extent_of_case(case: Case) -> Extent:
    """What of a case there is to show."""
    height, width = _stack(case.image, case).shape[1:3]
    objects = sum(z_max - z_min + 1 for _, _, z_min, z_max in _boxes_inside(case))
    return Extent(height, width, len(reached_slices(case)), objects, case.is_volume)


def draw_panels(
    case: Case,
    labels: Sequence[int],
    found: LabelArray | None,
    truth: LabelArray | None,
    style: PromptStyle | None,
    detail: Detail,
) -> tuple[Panel, ...]:
    """Panels of the slices that boxes reach, as many as the detail allows.

    labels: of each box, in the label map. found, truth: label maps of the image's shape, (H, W) or (D, H, W), or
    None. style: how points and scribbles were drawn, None where none were or where that is not known.
    """
    images, scale = _stack(case.image, case), detail.scale(extent_of_case(case))
    panels = {
        z: Panel(z, encode_picture(resized_bgr(images[z], scale), detail))
        for z in slices_to_show(case, detail.slices)
    }  # fmt: skip
    _add_boxes(panels, case, labels)
    for prompt in _prompts_of_given_boxes(case, style) if style is not None else ():
        if prompt.slice_index in panels:
            relabelled = replace(prompt, label=labels[prompt.label - 1])
            _add_points_and_scribble(panels[prompt.slice_index], relabelled, Geometry(*images.shape[1:3]), detail)
    if found is not None:
        _add_outlines(panels, "prediction", _stack(found, case), detail.tolerance)
    if truth is not None:
        _add_outlines(panels, "truth", _stack(truth, case), detail.tolerance)
    return tuple(panels.values())


def _stack(array: AnyArray, case: Case) -> AnyArray:
    """The image or label map as slices, of which a picture has one."""
    return array if case.is_volume else array[None]


def _prompts_of_given_boxes(case: Case, style: PromptStyle) -> Iterator[Prompt]:
    """The prompt of each box as it was given: in a picture, or on the slice of a volume where its sweeps begin.

    On other slices a box comes from the mask beside it, so those prompts cannot be told from the outcome.
    """
    maker, images = PromptMaker(case.name, style), _stack(case.image, case)
    frame_of = cache(lambda z: make_frame(images[z]))
    for i, box, z_min, z_max in _boxes_inside(case):
        middle = (z_min + z_max) // 2
        frame = frame_of(middle)
        yield maker.complete(Prompt(i + 1, middle, frame.geometry.box_to_frame(box)), frame.visible)


def _boxes_inside(case: Case) -> Iterator[tuple[int, IntArray, int, int]]:
    """Place in the list, in-plane corners (4,), first and last slice of each box that touches the image."""
    for i in np.flatnonzero(case.inside).tolist():
        box = case.boxes[i]
        if case.is_volume:
            yield i, box[[0, 1, 3, 4]], int(box[2]), int(box[5])
        else:
            yield i, box, 0, 0


def _add_boxes(panels: dict[int, Panel], case: Case, labels: Sequence[int]) -> None:
    longest = max(_stack(case.image, case).shape[1:3])
    for i, box, z_min, z_max in _boxes_inside(case):
        for z in panels.keys() & range(z_min, z_max + 1):
            panels[z].add("box", [(labels[i], box_path(box, longest))])


def _add_points_and_scribble(panel: Panel, prompt: Prompt, geometry: Geometry, detail: Detail) -> None:
    if prompt.points is not None:
        panel.add("points", [(prompt.label, points_path(prompt.points))])
    if prompt.scribble is not None:
        rows, columns = geometry.resized
        stroke = prompt.scribble[:rows, :columns].astype(np.uint8)
        panel.add("scribble", [(prompt.label, path) for _, path in outlines(stroke, detail.tolerance)])


def _add_outlines(panels: dict[int, Panel], layer: Layer, labels: LabelArray, tolerance: float) -> None:
    for z, panel in panels.items():
        panel.add(layer, outlines(labels[z], tolerance))
        panel.labelled += int(np.count_nonzero(labels[z]))
