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
    points = [torch.zeros(_EXAMPLE_PROMPTS, POINTS_PER_PROMPT, 2)] if reads_more else []
    scribbles = [torch.zeros(_EXAMPLE_PROMPTS, SIDE, SIDE)] if reads_more else []
    maps = model.encode(frame)
    sparse = model.prompt_encoder.sparse(boxes, *points)

    def decode(*inputs: Tensor) -> tuple[Tensor, Tensor]:
        return model.decode_tokens(inputs[: len(maps)], *inputs[len(maps) :])

    return Graphs(
        weights.architecture,
        reads_more,
        encode=trace(model.encode, [frame], fixed=1),
        tokens=trace(model.prompt_encoder.sparse, [boxes, *points]),
        decode=trace(decode, [*maps, sparse, *scribbles], fixed=len(maps)),
    )


class _Function(nn.Module):
    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.forward = function


def trace(function: Callable[..., Any], examples: Sequence[Tensor], fixed: int = 0) -> Any:
    """openvino.Model of a function of tensors; beyond the first `fixed` inputs the first axis is open.

    `openvino.convert_model` does the same but traces twice and reports to a web service.
    """
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
    from openvino.passes import ConstantFolding, Manager

    jit: Any = torch.jit
    with warnings.catch_warnings(), torch.no_grad():
        # torch.export would do instead, but imports torch's compiler.
        warnings.simplefilter("ignore", DeprecationWarning)
        traced = jit.trace(_Function(function), tuple(examples), check_trace=False)
        front = openvino.frontend.FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(traced)  # must outlive the conversion
        graph = front.convert(front.load(decoder))
    for i, (parameter, example) in enumerate(zip(graph.get_parameters(), examples, strict=True)):
        open_or_fixed = example.shape[0] if i < fixed else -1
        parameter.set_element_type(openvino.Type.f32)
        parameter.set_partial_shape(openvino.PartialShape([open_or_fixed, *example.shape[1:]]))
    graph.validate_nodes_and_infer_types()
    # Done once here, reading and compiling take a fifth less in every run.
    folding = Manager()
    folding.register_pass(ConstantFolding())
    folding.run_passes(graph)
    return graph
