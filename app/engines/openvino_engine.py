"""OpenVINO on the CPU; torch is not imported where the model's graphs are at hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays import AnyArray, FloatArray
from ..memory import keep_freed_memory
from ..prompts.prompt import Prompt
from ..prompts.window import Windows
from ..weights.manifest import WeightsFile
from .compiled import compiled_graphs
from .engine import Decoded, EngineInfo, ImageFeatures
from .openvino_runtime import VERSION
from .precision import Precision


class OpenVinoEngine:
    """Runs a model's graphs at one precision; a frame's maps are kept at that precision's width."""

    def __init__(self, weights: WeightsFile, precision: Precision, threads: int) -> None:
        """Raises WeightsError, and InputError where the processor cannot compute at `precision`."""
        keep_freed_memory()
        graphs = compiled_graphs(weights, precision, threads)
        self._encode, self._tokens, self._decode = graphs.encode, graphs.tokens, graphs.decode
        self.reads_points_and_scribble = graphs.reads_points_and_scribble
        self.info = EngineInfo(
            model=weights.name,
            architecture=graphs.architecture,
            weights_file=str(weights.path),
            weights_sha256=weights.sha256,
            engine=f"openvino {VERSION}",
            precision=self._decode.precision,
            threads=threads,
        )

    def encode(self, frames: FloatArray) -> list[ImageFeatures]:
        return [self._features(frame[None]) for frame in frames]

    def _features(self, frame: FloatArray) -> ImageFeatures:
        maps = self._encode.run(frame)
        return ImageFeatures(maps, sum(one.byte_size for one in maps))

    def decode(self, features: ImageFeatures, prompts: Sequence[Prompt], windows: Windows) -> Decoded:
        boxes = _stack([prompt.box for prompt in prompts])
        points = [_stack([prompt.points for prompt in prompts])] if self.reads_points_and_scribble else []
        scribbles = [_stack([prompt.scribble for prompt in prompts])] if self.reads_points_and_scribble else []
        [tokens] = self._tokens.run(boxes, *points)
        logits, iou = self._decode.run(*features.maps, tokens, windows.pixels.astype(np.int32), *scribbles)
        return Decoded(windows.place(logits.data), iou.data)


def _stack(arrays: Sequence[AnyArray | None]) -> FloatArray:
    return np.stack([array for array in arrays if array is not None]).astype(np.float32)
