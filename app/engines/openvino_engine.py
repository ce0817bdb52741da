"""OpenVINO on the CPU; torch is not imported where the model's graphs are at hand."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from ..arrays import AnyArray, FloatArray
from ..errors import InputError
from ..memory import keep_freed_memory
from ..prompts.prompt import Prompt
from ..prompts.window import Windows
from ..weights.manifest import WeightsFile
from .engine import Decoded, EngineInfo, ImageFeatures
from .graphs import Graphs, load_graphs
from .openvino_runtime import VERSION, openvino
from .precision import Precision

_TYPES: dict[Precision, Any] = {"float32": openvino.Type.f32, "bfloat16": openvino.Type.bf16}
_NAMES = {"f32": "float32", "bf16": "bfloat16"}


class OpenVinoEngine:
    """Runs a model's graphs at one precision; a frame's maps are kept at that precision's width."""

    def __init__(self, weights: WeightsFile, precision: Precision, threads: int) -> None:
        """Raises WeightsError, and InputError where the processor cannot compute at `precision`."""
        keep_freed_memory()
        graphs = load_graphs(weights)
        if precision == "bfloat16":
            graphs = _with_maps_in_bfloat16(graphs)
        # Compiling is a matter of one processor, so two graphs are compiled at a time.
        with ThreadPoolExecutor() as pool:
            encode = pool.submit(Compiled, graphs.encode, precision, threads)
            # Coordinates must not be rounded: at bfloat16 a box would move by half a pixel.
            tokens = pool.submit(Compiled, graphs.tokens, "float32", threads)
            decode = pool.submit(Compiled, graphs.decode, precision, threads)
        self._encode, self._tokens, self._decode = encode.result(), tokens.result(), decode.result()
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


class Compiled:
    """A graph compiled for the CPU."""

    def __init__(self, graph: Any, precision: Precision, threads: int) -> None:
        settings = {
            "INFERENCE_PRECISION_HINT": _TYPES[precision],
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            # Else several processes on one machine would all be bound to its first processors.
            "ENABLE_CPU_PINNING": False,
        }
        compiled = openvino.Core().compile_model(graph, "CPU", settings)
        used = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self.precision = _NAMES.get(used, used)
        if self.precision != precision:
            raise InputError(
                f"OpenVINO computes at {self.precision} on this processor, not at {precision}; leave out --precision"
            )
        self._request = compiled.create_infer_request()

    def run(self, *inputs: Any) -> list[Any]:
        """Outputs as tensors of their own: what a request gives is overwritten when it runs again."""
        self._request.infer(inputs, share_inputs=True, share_outputs=True)
        return [_copy(self._request.get_output_tensor(i)) for i in range(len(self._request.output_tensors))]


def _copy(tensor: Any) -> Any:
    copy = openvino.Tensor(tensor.element_type, tensor.shape)
    tensor.copy_to(copy)
    return copy


def _with_maps_in_bfloat16(graphs: Graphs) -> Graphs:
    """The same graphs handing over their maps at half the width, at which they are computed anyway."""
    given = openvino.preprocess.PrePostProcessor(graphs.encode)
    taken = openvino.preprocess.PrePostProcessor(graphs.decode)
    for i in range(len(graphs.encode.outputs)):
        given.output(i).tensor().set_element_type(openvino.Type.bf16)
        taken.input(i).tensor().set_element_type(openvino.Type.bf16)
    return replace(graphs, encode=given.build(), decode=taken.build())


def _stack(arrays: Sequence[AnyArray | None]) -> FloatArray:
    return np.stack([array for array in arrays if array is not None]).astype(np.float32)
