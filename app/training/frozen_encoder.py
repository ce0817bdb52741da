"""An image encoder that is not trained, run by the fastest engine at hand."""

from __future__ import annotations

import copy
from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from ..networks.layers import fold_batch_norms
from ..networks.swin_encoder import EncoderOutput

Encode = Callable[[Tensor], EncoderOutput]


def autocast(tensor: Tensor) -> torch.autocast:
    """bfloat16 where the device of `tensor` gains by it: everything that networks compute in training."""
    return torch.autocast(tensor.device.type, torch.bfloat16)


def frozen_encoder(encoder: nn.Module, device: torch.device, batch: int) -> Encode:
    """The encoder for batches of one size, without gradients: on a CPU by OpenVINO where that is installed."""
    still = copy.deepcopy(encoder).eval().requires_grad_(False)
    if device.type == "cpu" and find_spec("openvino"):
        return _by_openvino(still, batch)

    def encode(frames: Tensor) -> EncoderOutput:
        with torch.no_grad(), autocast(frames):
            return EncoderOutput(*still(frames))

    return encode


def _by_openvino(encoder: nn.Module, batch: int) -> Encode:
    import openvino as ov

    fold_batch_norms(encoder)
    with torch.no_grad():
        graph = ov.convert_model(_Flat(encoder), example_input=torch.zeros(1, 3, 256, 256), input=[batch, 3, 256, 256])
    how = {
        "INFERENCE_PRECISION_HINT": "bf16",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "ENABLE_CPU_PINNING": False,
    }
    compiled = ov.compile_model(graph, "CPU", how)

    def encode(frames: Tensor) -> EncoderOutput:
        embedding, *skips = (torch.from_numpy(found) for found in compiled(frames.numpy()).values())
        return EncoderOutput(embedding, (skips[0], skips[1], skips[2], skips[3]))

    return encode


class _Flat(nn.Module):
    """An encoder with its outputs in one flat tuple, as the exporter wants them."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self._encoder = encoder

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        encoded = self._encoder(frames)
        return (encoded.embedding, *encoded.skips)
