"""An image encoder that is not trained, run by the fastest engine at hand."""

from __future__ import annotations

import copy
from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from ..engines.precision import has_bfloat16
from ..frame import SIDE
from ..networks.layers import fold_batch_norms
from ..networks.swin_encoder import EncoderOutput

Encode = Callable[[Tensor], EncoderOutput]


def autocast(tensor: Tensor) -> torch.autocast:
    """bfloat16 where the device of `tensor` gains by it: everything that networks compute in training."""
    return torch.autocast(tensor.device.type, torch.bfloat16)


def frozen_encoder(encoder: nn.Module, device: torch.device) -> Encode:
    """The encoder without gradients: on a CPU by OpenVINO where that is installed."""
    still = copy.deepcopy(encoder).eval().requires_grad_(False)
    if device.type == "cpu" and find_spec("openvino"):
        return _by_openvino(still)

    def encode(frames: Tensor) -> EncoderOutput:
        with torch.no_grad(), autocast(frames):
            return EncoderOutput(*still(frames))

    return encode


def _by_openvino(encoder: nn.Module) -> Encode:
    from ..engines.compiled import compile_graph
    from ..engines.export import trace

    fold_batch_norms(encoder)
    graph = trace(lambda frame: _flat(encoder(frame)), [(torch.zeros(1, 3, SIDE, SIDE), 0)])
    compiled = compile_graph(graph, "bfloat16" if has_bfloat16() else "float32", torch.get_num_threads())

    def encode(frames: Tensor) -> EncoderOutput:
        each = [compiled.run(frame[None].numpy()) for frame in frames]
        embedding, f0, f1, f2, f3 = (
            torch.cat([torch.from_numpy(m.data) for m in maps]) for maps in zip(*each, strict=True)
        )
        return EncoderOutput(embedding, (f0, f1, f2, f3))

    return encode


def _flat(encoded: EncoderOutput) -> tuple[Tensor, ...]:
    return (encoded.embedding, *encoded.skips)
