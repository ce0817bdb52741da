"""Whole models and the registry of what can be built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .layers import fold_batch_norms
from .mask_decoders import MaskDecoder, PlainMaskDecoder, SkipMaskDecoder, in_rows
from .prompt_encoder import PromptEncoder
from .swin_encoder import SwinImageEncoder
from .tiny_vit_encoder import TinyViTImageEncoder


class PromptableModel(nn.Module):
    """Image encoder, prompt encoder and mask decoder under their published names."""

    def __init__(self, image_encoder: nn.Module, mask_decoder: MaskDecoder) -> None:
        super().__init__()
        self.image_encoder = image_encoder
        self.prompt_encoder = PromptEncoder()
        self.mask_decoder = mask_decoder

    def encode(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Frames (B, 3, 256, 256) in [0, 1] to the maps that decoding reads, (B, ...) each."""
        return self.mask_decoder.image_maps(self.image_encoder(frames))

    def decode(
        self,
        maps: tuple[Tensor, ...],
        boxes: Tensor,
        points: Tensor | None = None,
        scribbles: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Boxes (N, 4), points (N, P, 2), scribbles (N, 256, 256) in the frame to logits (N, 256, 256), IoU (N)."""
        logits, iou = self.decode_tokens(maps, self.prompt_encoder.sparse(boxes, points), scribbles)
        return in_rows(logits), iou

    def decode_tokens(
        self, maps: tuple[Tensor, ...], sparse: Tensor, scribbles: Tensor | None = None, pixels: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """From the tokens (N, T, 256) of boxes and points to the logits (N, P, 16) of `pixels` (N, P), IoU (N)."""
        position, dense = self.prompt_encoder.dense_position(), self.prompt_encoder.dense(scribbles)
        return self.mask_decoder(maps, position, sparse, dense, pixels)


class Architecture(NamedTuple):
    """What can be built, and what it wants to be told."""

    title: str
    build: Callable[[], PromptableModel]
    reads_points_and_scribble: bool


ARCHITECTURES = {
    "swin-litemedsam": Architecture(
        "Swin-LiteMedSAM", lambda: PromptableModel(SwinImageEncoder(), SkipMaskDecoder()), True
    ),
    # LiteMedSAM's encoder, whose own maps have the shapes of the Swin encoder's skips, with Swin-LiteMedSAM's decoder
    "litemedsam-skip": Architecture(
        "LiteMedSAM with skip connections", lambda: PromptableModel(TinyViTImageEncoder(), SkipMaskDecoder()), True
    ),
    "litemedsam": Architecture("LiteMedSAM", lambda: PromptableModel(TinyViTImageEncoder(), PlainMaskDecoder()), False),
}


def build_unfilled(architecture: str) -> PromptableModel:
    """The model with names and shapes but no values: weights loaded with `assign=True` bring those."""
    with torch.device("meta"), _NoInitialValues():
        return ARCHITECTURES[architecture].build()


def build_filled(architecture: str, tensors: dict[str, Tensor]) -> PromptableModel:
    """The model with these values in eval mode, BatchNorm folded; names and shapes must have been checked."""
    model = build_unfilled(architecture).eval().requires_grad_(False)
    # BatchNorm's batch counters are not among the tensors.
    model.load_state_dict(tensors, strict=False, assign=True)
    fold_batch_norms(model)
    return model


class _NoInitialValues(TorchFunctionMode):
    """Skips what fills parameters with random numbers.

    On the meta device those calls have nothing to fill, yet the first of them imports torch's compiler and
    sympy, which takes longer than importing torch itself.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.randn:
            return torch.empty(*args, **kwargs)
        if getattr(func, "__module__", None) == nn.init.__name__:
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)
