"""The path that swinlite is compared with: a case segmented as the published inference script does it.

    python -m benchmarks.plain CASE.npz OUT.npz WEIGHTS

torch in float32, one object and one prompt at a time: every slice is encoded again for every object, the decoder runs
as published (`published_decoder.py`), and every mask is enlarged whole. Encoder, frames and prompts are swinlite's own,
so that the masks are the same; for the same reason boxes include their last slice, and masks end with their windows. It
imports less than the published script, so it is the quicker of the two.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from app.arrays import BoolArray, IntArray, LabelArray
from app.cases.case import Case, empty_labels
from app.cases.challenge import read_case
from app.frame import Frame, PlacedMask, make_frame
from app.networks.models import PromptableModel, build_unfilled
from app.networks.swin_encoder import EncoderOutput
from app.prompts.prompt import Prompt, PromptMaker, box_around
from app.prompts.rules import PromptStyle
from app.prompts.window import OUTSIDE, windows_around
from app.segment.slice_decoding import MARGIN
from app.threads import available_threads
from app.weights.load import load_weights

from .published_decoder import decode_as_published


def load_model(weights: Path) -> PromptableModel:
    """The model as it was trained, BatchNorm and all. Raises WeightsError."""
    loaded = load_weights(file=weights)
    model = build_unfilled(loaded.architecture)
    model.load_state_dict(loaded.tensors, strict=False, assign=True)
    return model.eval()


class PlainPath:
    """Segments one case."""

    def __init__(self, model: PromptableModel, case: Case) -> None:
        self._model = model
        self._case = case
        self._maker = PromptMaker(case.name, PromptStyle())

    def segment(self) -> LabelArray:
        """Label map (H, W) or (D, H, W)."""
        return self._volume() if self._case.is_volume else self._picture()

    def _picture(self) -> LabelArray:
        image = self._case.image
        labels = empty_labels(image.shape[:2], len(self._case.boxes))
        frame = make_frame(image)
        encoded = self._encode(frame)
        for k, box in enumerate(self._case.boxes, start=1):
            labels[self._mask(frame, encoded, Prompt(k, 0, frame.geometry.box_to_frame(box)))] = k
        return labels

    def _volume(self) -> LabelArray:
        labels = empty_labels(self._case.image.shape[:3], len(self._case.boxes))
        for k, box in enumerate(self._case.boxes, start=1):
            labels[self._object(k, box)] = k
        return labels

    def _object(self, label: int, box: IntArray) -> BoolArray:
        """(D, H, W), the object of one box (6,): from its middle slice up, then down."""
        volume = self._case.image
        found = np.zeros(volume.shape[:3], bool)
        middle = (box[2] + box[5]) // 2
        from_middle = self._slice(found, label, box, middle, None)
        for slices in (range(middle + 1, box[5] + 1), range(middle - 1, box[2] - 1, -1)):
            handed_on = from_middle
            for z in slices:
                handed_on = self._slice(found, label, box, z, handed_on)
        return found

    def _slice(
        self, found: BoolArray, label: int, box: IntArray, z: int, handed_on: IntArray | None
    ) -> IntArray | None:
        """Fill slice z of `found` and return the frame's box (4,) that its mask hands on, None for an empty one."""
        frame = make_frame(self._case.image[z])
        in_frame = frame.geometry.box_to_frame(box[[0, 1, 3, 4]]) if handed_on is None else handed_on
        found[z] = self._mask(frame, self._encode(frame), Prompt(label, z, in_frame))
        return box_around(frame.geometry.mask_to_frame(PlacedMask((slice(None), slice(None)), found[z])))

    @torch.inference_mode()
    def _encode(self, frame: Frame) -> EncoderOutput:
        encoded: EncoderOutput = self._model.image_encoder(torch.from_numpy(frame.pixels)[None])
        return encoded

    @torch.inference_mode()
    def _mask(self, frame: Frame, encoded: EncoderOutput, prompt: Prompt) -> BoolArray:
        """(H, W), the object of one prompt that has only its box as yet."""
        prompt = self._maker.complete(prompt, frame.visible)
        assert prompt.points is not None
        assert prompt.scribble is not None
        geometry = frame.geometry
        logits = decode_as_published(
            self._model,
            encoded,
            torch.from_numpy(prompt.box[None].astype(np.float32)),
            torch.from_numpy(prompt.points[None]),
            torch.from_numpy(prompt.scribble[None].astype(np.float32)),
        )
        logits[~torch.from_numpy(windows_around([prompt], MARGIN).inside)] = OUTSIDE
        height, width = geometry.resized
        enlarged = F.interpolate(logits[None, :, :height, :width], (geometry.height, geometry.width), mode="bilinear")
        mask: BoolArray = (enlarged[0, 0].sigmoid() > 0.5).numpy()
        return mask


def main() -> None:
    """Segment one case file."""
    source, target, weights = (Path(argument) for argument in sys.argv[1:])
    torch.set_num_threads(available_threads())
    labels = PlainPath(load_model(weights), read_case(source)).segment()
    np.savez_compressed(target, segs=labels, allow_pickle=False)


if __name__ == "__main__":
    main()
