"""Segment-anything's prompt encoder, the same in both networks: box and points to tokens, a scribble to a map."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import EMBED_DIM, LayerNorm2d

FRAME_SIDE = 256
EMBEDDING_SIDE = 64


class PositionalCode(nn.Module):
    """Random Fourier features of a position: (..., 2) as (x, y) in [0, 1] to (..., 256)."""

    positional_encoding_gaussian_matrix: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.randn(2, EMBED_DIM // 2))

    def forward(self, position: Tensor) -> Tensor:
        x, y = (2 * position - 1)[..., None].unbind(-2)
        of_x, of_y = self.positional_encoding_gaussian_matrix.unbind()
        # No matrix product: automatic bfloat16 would round the coordinates to half a pixel before one.
        radians = 2 * math.pi * (x * of_x + y * of_y)
        return torch.cat([radians.sin(), radians.cos()], dim=-1)


class PromptEncoder(nn.Module):
    """Prompts in 256-pixel frame coordinates to sparse tokens and a dense map.

    The published checkpoints also hold `not_a_point_embed` and a background point embedding; they are
    kept for training and for a complete state dict, but a box with foreground points reads neither.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pe_layer = PositionalCode()
        # background point, foreground point, upper-left corner, lower-right corner
        self.point_embeddings = nn.ModuleList([nn.Embedding(1, EMBED_DIM) for _ in range(4)])
        self.not_a_point_embed = nn.Embedding(1, EMBED_DIM)
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, 4, 2, stride=2),
            LayerNorm2d(4),
            nn.GELU(),
            nn.Conv2d(4, 16, 2, stride=2),
            LayerNorm2d(16),
            nn.GELU(),
            nn.Conv2d(16, EMBED_DIM, 1),
        )
        self.no_mask_embed = nn.Embedding(1, EMBED_DIM)

    def sparse(self, boxes: Tensor, points: Tensor | None = None) -> Tensor:
        """Tokens, points first: boxes (N, 4) as x0, y0, x1, y1 and foreground points (N, P, 2) to (N, P + 2, 256)."""
        corners = self._code(boxes.reshape(-1, 2, 2))
        tokens = corners + torch.cat([self._kind(2), self._kind(3)])
        if points is None:
            return tokens
        return torch.cat([self._code(points) + self._kind(1), tokens], dim=1)

    def dense(self, scribbles: Tensor | None) -> Tensor:
        """Scribbles (N, 256, 256) of 0 and 1 to (N, 4096, 256), row by row; without (1, 1, 256), to broadcast.

        An all-zero scribble is not the same as none: the convolutions' biases act.
        """
        if scribbles is None:
            return self.no_mask_embed.weight[None]
        widen = self.mask_downscaling[-1]
        assert isinstance(widen, nn.Conv2d)
        pixels = self.mask_downscaling[:-1](scribbles[:, None]).flatten(2).transpose(1, 2)  # (N, 4096, 16)
        return F.linear(pixels, widen.weight[:, :, 0, 0], widen.bias)

    def dense_position(self) -> Tensor:
        """Positional code of every embedding pixel's centre, row by row: (1, 4096, 256)."""
        code_matrix = self.pe_layer.positional_encoding_gaussian_matrix
        centre = (torch.arange(EMBEDDING_SIDE, device=code_matrix.device) + 0.5) / EMBEDDING_SIDE
        y, x = torch.meshgrid(centre, centre, indexing="ij")
        return self.pe_layer(torch.stack([x, y], dim=-1).reshape(1, -1, 2))

    def _kind(self, number: int) -> Tensor:
        embedding = self.point_embeddings[number]
        assert isinstance(embedding, nn.Embedding)
        return embedding.weight

    def _code(self, pixels: Tensor) -> Tensor:
        return self.pe_layer((pixels + 0.5) / FRAME_SIDE)
