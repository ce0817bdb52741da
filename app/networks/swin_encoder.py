"""Swin-LiteMedSAM's image encoder (paper section 2.1; layout and names as in the published code).

    frame (3, 256) -> stem (64, 256) -> stage 1 (128, 128) -> stage 2 (160, 64) -> stage 3 (320, 64)
                   -> stage 4 (320, 64) -> neck -> embedding (256, 64)           (channels, side)

The raw output of every stage is a skip connection for the mask decoder. Inside the stages maps are
channels-last, (B, H, W, C), because all but the depthwise convolutions work on the channels of a pixel.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from .layers import ConvBN, neck, patch_stem

WINDOW = 8
SHIFT = WINDOW // 2
HEAD_WIDTH = 32


class EncoderOutput(NamedTuple):
    """What an image encoder makes of (B, 3, 256, 256) frames."""

    embedding: Tensor  # (B, 256, 64, 64)
    skips: tuple[Tensor, Tensor, Tensor, Tensor]  # (B, 128, 128, 128), (B, 160, 64, 64), 2 x (B, 320, 64, 64)


class WindowAttention(nn.Module):
    """Multi-head self-attention in 8 x 8 windows of a (B, H, W, C) map, H and W multiples of 8.

    Differs from the Swin paper: one relative position table for all heads, no bias in q, k, v, and an
    inner width of 32 per head that need not equal C. `shifted` rolls the map by half a window first.
    """

    def __init__(self, channels: int, heads: int, shifted: bool) -> None:
        super().__init__()
        self.heads = heads
        self.shifted = shifted
        self.pos_embedding = nn.Parameter(torch.randn(2 * WINDOW - 1, 2 * WINDOW - 1))
        self.to_qkv = nn.Linear(channels, 3 * heads * HEAD_WIDTH, bias=False)
        self.to_out = nn.Linear(heads * HEAD_WIDTH, channels)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[1:3]
        rows, columns = height // WINDOW, width // WINDOW
        if self.shifted:
            x = x.roll((-SHIFT, -SHIFT), (1, 2))
        qkv = rearrange(
            self.to_qkv(x),
            "b (row wr) (column wc) (three heads d) -> three (b row column) heads (wr wc) d",
            three=3, heads=self.heads, wr=WINDOW, wc=WINDOW,
        )  # fmt: skip
        bias = self.position_bias(rows, columns).to(qkv.dtype)
        if self.shifted:
            bias = bias.repeat(x.shape[0], 1, 1, 1)
        out = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], attn_mask=bias)
        out = rearrange(
            out,
            "(b row column) heads (wr wc) d -> b (row wr) (column wc) (heads d)",
            row=rows, column=columns, wr=WINDOW,
        )  # fmt: skip
        out = self.to_out(out)
        return out.roll((SHIFT, SHIFT), (1, 2)) if self.shifted else out

    def position_bias(self, rows: int, columns: int) -> Tensor:
        """Relative table as (1, 1, 64, 64), plus the shift masks as (rows * columns, 1, 64, 64) where shifted."""
        device = self.pos_embedding.device
        row, column = token_coordinate("row", device), token_coordinate("column", device)
        # Offset of the key from the query, which indexes the table from -7 at 0.
        table = self.pos_embedding[row - row[:, None] + WINDOW - 1, column - column[:, None] + WINDOW - 1]
        if not self.shifted:
            return table[None, None]
        bias = table.expand(rows, columns, -1, -1).clone()
        # Rolling joined opposite borders of the map inside the last row and column of windows.
        bias[-1].masked_fill_(crosses_cut(row), -torch.inf)
        bias[:, -1].masked_fill_(crosses_cut(column), -torch.inf)
        return bias.flatten(0, 1)[:, None]


def token_coordinate(axis: str, device: torch.device | None = None) -> Tensor:
    """(64,) row or column of each token of a window, row-major."""
    tokens = torch.arange(WINDOW * WINDOW, device=device)
    return tokens // WINDOW if axis == "row" else tokens % WINDOW


def crosses_cut(coordinate: Tensor) -> Tensor:
    """(64, 64) bool: query and key of a shifted border window lie on different sides of the map's border."""
    beyond = coordinate >= WINDOW - SHIFT
    return beyond[:, None] ^ beyond  # exclusive or: torch.compile cannot compare truth values


class PreNorm(nn.Module):
    """LayerNorm, then `fn`."""

    def __init__(self, channels: int, fn: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.fn = fn

    def forward(self, x: Tensor) -> Tensor:
        return self.fn(self.norm(x))


class Residual(nn.Module):
    """x + fn(x)."""

    def __init__(self, fn: nn.Module) -> None:
        super().__init__()
        self.fn = fn

    def forward(self, x: Tensor) -> Tensor:
        return x + self.fn(x)


class FeedForward(nn.Module):
    """Linear to four times the channels, GELU, Linear back."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class SwinBlock(nn.Module):
    """Attention, a depthwise 3 x 3 convolution without a residual, feed-forward; (B, H, W, C) to the same."""

    def __init__(self, channels: int, heads: int, shifted: bool) -> None:
        super().__init__()
        self.attention_block = Residual(PreNorm(channels, WindowAttention(channels, heads, shifted)))
        self.local_conv = ConvBN(channels, channels, kernel=3, groups=channels)
        self.mlp_block = Residual(PreNorm(channels, FeedForward(channels)))

    def forward(self, x: Tensor) -> Tensor:
        x = self.attention_block(x)
        x = self.local_conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return self.mlp_block(x)


class PatchMerging(nn.Module):
    """One linear map of each factor x factor tile: (B, H, W, C) to (B, H / factor, W / factor, channels_out).

    The tile's inputs are ordered channel first (channel, row, column), so the linear layer is the same
    as a convolution of stride `factor` with its weight reshaped.
    """

    def __init__(self, channels_in: int, channels_out: int, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.linear = nn.Linear(channels_in * factor * factor, channels_out)

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.linear.weight.reshape(self.linear.out_features, -1, self.factor, self.factor)
        x = F.conv2d(x.permute(0, 3, 1, 2), kernel, self.linear.bias, stride=self.factor)
        return x.permute(0, 2, 3, 1)


class Stage(nn.Module):
    """Patch merging, then pairs of a plain and a shifted block."""

    def __init__(self, channels_in: int, channels: int, factor: int, depth: int, heads: int) -> None:
        super().__init__()
        self.downsample = PatchMerging(channels_in, channels, factor)
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(SwinBlock(channels, heads, shifted=False), SwinBlock(channels, heads, shifted=True))
                for _ in range(depth // 2)
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(self.downsample(x))


class SwinImageEncoder(nn.Module):
    """(B, 3, 256, 256) frames in [0, 1] to an embedding and the four stage outputs; 10.5 M parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.patch_embed = nn.ModuleDict({"seq": patch_stem()})
        self.stage1 = Stage(64, 128, factor=2, depth=2, heads=2)
        self.stage2 = Stage(128, 160, factor=2, depth=2, heads=4)
        self.stage3 = Stage(160, 320, factor=1, depth=6, heads=5)
        self.stage4 = Stage(320, 320, factor=1, depth=2, heads=10)
        self.neck = neck(320)

    def forward(self, frames: Tensor) -> EncoderOutput:
        stem: Tensor = self.patch_embed["seq"](frames).permute(0, 2, 3, 1)
        f0 = self.stage1(stem)  # (B, 128, 128, 128)
        f1 = self.stage2(f0)  # (B, 64, 64, 160)
        f2 = self.stage3(f1)  # (B, 64, 64, 320)
        f3 = self.stage4(f2)  # (B, 64, 64, 320)
        f0, f1, f2, f3 = (f.permute(0, 3, 1, 2) for f in (f0, f1, f2, f3))
        return EncoderOutput(self.neck(f3), (f0, f1, f2, f3))
