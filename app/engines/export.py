"""From a network in torch to OpenVINO graphs; the only module on OpenVINO's path that imports torch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..frame import SIDE
from ..networks.models import ARCHITECTURES, build_filled
from ..weights.load import LoadedWeights
from .graphs import Graphs
from .openvino_runtime import openvino

POINTS_PER_PROMPT = 4
_EXAMPLE_PROMPTS = 2


def export_graphs(weights: LoadedWeights) -> Graphs:
    """Trace the three parts of a model (`Graphs` says which); the number of prompts stays open."""
    model = build_filled(weights.architecture, weights.tensors)
    reads_more = ARCHITECTURES[weights.architecture].reads_points_and_scribble
    frame = torch.zeros(1, 3, SIDE, SIDE)
    boxes = torch.zeros(_EXAMPLE_PROMPTS, 4)
    points = [(torch.zeros(_EXAMPLE_PROMPTS, POINTS_PER_PROMPT, 2), 1)] if reads_more else []
    scribbles = [(torch.zeros(_EXAMPLE_PROMPTS, SIDE, SIDE), 1)] if reads_more else []
    pixels = torch.zeros(_EXAMPLE_PROMPTS, 3, dtype=torch.int32)
    maps = model.encode(frame)
    sparse = model.prompt_encoder.sparse(boxes, *(one for one, _ in points))

    def decode(*inputs: Tensor) -> tuple[Tensor, Tensor]:
        given, (sparse, pixels, *scribble) = inputs[: len(maps)], inputs[len(maps) :]
        return model.decode_tokens(given, sparse, scribble[0] if reads_more else None, pixels)

    return Graphs(
        weights.architecture,
        reads_more,
        encode=trace(model.encode, [(frame, 0)]),
        tokens=trace(model.prompt_encoder.sparse, [(boxes, 1), *points]),
        decode=trace(decode, [*((one, 0) for one in maps), (sparse, 1), (pixels, 2), *scribbles]),
    )


class _Function(nn.Module):
    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.forward = function


def trace(function: Callable[..., Any], examples: Sequence[tuple[Tensor, int]]) -> Any:
    """openvino.Model of a function of tensors, each given by an example and how many of its first axes stay open.

    `openvino.convert_model` does the same but traces twice and reports to a web service.
    """
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
    from openvino.passes import ConstantFolding, Manager

    jit: Any = torch.jit
    with warnings.catch_warnings(), torch.no_grad():
        # torch.export would do instead, but imports torch's compiler.
        warnings.simplefilter("ignore", DeprecationWarning)
        traced = jit.trace(_Function(function), tuple(example for example, _ in examples), check_trace=False)
        front = openvino.frontend.FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(traced)  # must outlive the conversion
        graph = front.convert(front.load(decoder))
    for parameter, (example, open_axes) in zip(graph.get_parameters(), examples, strict=True):
        parameter.set_element_type(openvino.Type.f32 if example.is_floating_point() else openvino.Type.i32)
        parameter.set_partial_shape(openvino.PartialShape([-1] * open_axes + list(example.shape[open_axes:])))
    graph.validate_nodes_and_infer_types()
    # Done once here, reading and compiling take a fifth less in every run.
    folding = Manager()
    folding.register_pass(ConstantFolding())
    folding.run_passes(graph)
    return graph
