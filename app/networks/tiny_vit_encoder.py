"""LiteMedSAM's image encoder: a TinyViT of four layers (bowang-lab/MedSAM, branch LiteMedSAM; names as published).

frame (3, 256) -> stem (64, 256) -> layer 0, convolutions (64, 256) -> layer 1 (128, 128)
               -> layer 2 (160, 64) -> layer 3 (320, 64) -> neck -> embedding (256, 64)   (channels, side)
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from .layers import ConvBN, neck, patch_stem
from .swin_encoder import EncoderOutput

HEAD_WIDTH = 32


class MBConv(nn.Module):
    """Inverted bottleneck of MobileNet: expand by 4, depthwise 3 x 3, project, add, GELU after the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = ConvBN(channels, 4 * channels)
        self.conv2 = ConvBN(4 * channels, 4 * channels, kernel=3, groups=4 * channels)
        self.conv3 = ConvBN(4 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        inner = F.gelu(self.conv2(F.gelu(self.conv1(x))))
        return F.gelu(x + self.conv3(inner))


class PatchMerging(nn.Module):
    """1 x 1, depthwise 3 x 3 with the stride, 1 x 1: (B, C, H, W) to (B, channels_out, H / stride, W / stride)."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = ConvBN(channels_in, channels_out)
        self.conv2 = ConvBN(channels_out, channels_out, kernel=3, stride=stride, groups=channels_out)
        self.conv3 = ConvBN(channels_out, channels_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x)))))


class Attention(nn.Module):
    """Self-attention in windows that never shift, on a (B, H, W, C) map padded to whole windows.

    The zero padding comes before the LayerNorm and is not masked: padded tokens are attended to, as
    published. Biases depend on the absolute row and column distance, one table per head.
    """

    def __init__(self, channels: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        self.norm = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * heads * HEAD_WIDTH)
        self.proj = nn.Linear(heads * HEAD_WIDTH, channels)
        self.attention_biases = nn.Parameter(torch.zeros(heads, window * window))

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[1:3]
        x = F.pad(x, (0, 0, 0, -width % self.window, 0, -height % self.window))
        qkv = rearrange(
            self.qkv(self.norm(x)),
            "b (row wr) (column wc) (heads three d) -> three (b row column) heads (wr wc) d",
            heads=self.heads, three=3, wr=self.window, wc=self.window,
        )  # fmt: skip
        index = _distance_index(self.window, x.device)
        bias = self.attention_biases[:, index][None].to(qkv.dtype)  # (1, heads, tokens, tokens)
        out = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], attn_mask=bias)
        out = rearrange(
            out,
            "(b row column) heads (wr wc) d -> b (row wr) (column wc) (heads d)",
            row=x.shape[1] // self.window, column=x.shape[2] // self.window, wr=self.window,
        )  # fmt: skip
        return self.proj(out[:, :height, :width])


def _distance_index(window: int, device: torch.device) -> Tensor:
    tokens = torch.arange(window * window, device=device)
    rows, columns = tokens // window, tokens % window
    return (rows[:, None] - rows).abs() * window + (columns[:, None] - columns).abs()


class Mlp(nn.Module):
    """LayerNorm, linear to four times the channels, GELU, linear back; channels last."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.fc1 = nn.Linear(channels, 4 * channels)
        self.fc2 = nn.Linear(4 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(self.norm(x))))


class TinyViTBlock(nn.Module):
    """Attention, a depthwise 3 x 3 convolution without a residual, MLP; (B, C, H, W) to the same."""

    def __init__(self, channels: int, heads: int, window: int) -> None:
        super().__init__()
        self.attn = Attention(channels, heads, window)
        self.local_conv = ConvBN(channels, channels, kernel=3, groups=channels)
        self.mlp = Mlp(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        x = x + self.attn(x)
        x = self.local_conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        x = x + self.mlp(x)
        return x.permute(0, 3, 1, 2)


class Layer(nn.Module):
    """Blocks on one resolution, then patch merging to the next; returns the maps after either."""

    def __init__(self, blocks: list[nn.Module], downsample: nn.Module) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)
        self.downsample = downsample

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.blocks(x)
        return x, self.downsample(x)


class TinyViTImageEncoder(nn.Module):
    """(B, 3, 256, 256) frames in [0, 1] to an embedding and four maps shaped like Swin's skips; 5.7 M parameters.

    The skips are the maps after layer 1's and layer 2's blocks, and those entering and leaving layer 3.
    """

    def __init__(self) -> None:
        super().__init__()
        self.patch_embed = nn.ModuleDict({"seq": patch_stem()})
        self.layers = nn.ModuleList(
            [
                Layer([MBConv(64) for _ in range(2)], PatchMerging(64, 128, stride=2)),
                Layer([TinyViTBlock(128, 4, 7) for _ in range(2)], PatchMerging(128, 160, stride=2)),
                Layer([TinyViTBlock(160, 5, 14) for _ in range(6)], PatchMerging(160, 320, stride=1)),
                Layer([TinyViTBlock(320, 10, 7) for _ in range(2)], nn.Identity()),
            ]
        )
        self.neck = neck(320)

    def forward(self, frames: Tensor) -> EncoderOutput:
        x: Tensor = self.patch_embed["seq"](frames)
        _, x = self.layers[0](x)
        f0, x = self.layers[1](x)  # (B, 128, 128, 128)
        f1, f2 = self.layers[2](x)  # (B, 160, 64, 64) and (B, 320, 64, 64)
        f3, _ = self.layers[3](f2)  # (B, 320, 64, 64)
        return EncoderOutput(self.neck(f3), (f0, f1, f2, f3))
