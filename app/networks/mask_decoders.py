"""The mask decoders: segment-anything's plain one (LiteMedSAM) and Swin-LiteMedSAM's with skip connections.

Both split their work: `image_maps` computes what depends on the image alone, once an image; `forward`
decodes a batch of prompts on those maps.

From the embedding on no layer looks at a pixel's neighbours, and a 2 x 2 transposed convolution of stride 2
makes four pixels out of one. So maps are lists of pixels with their channels last: (B, 4096, C) at 64 x 64,
row by row; (B, 4096, 4, C) and (B, 4096, 4, 4, C) at 128 and 256, where a pixel's four parts stand behind it.
Only the logits are put back into rows. The numbers are the same, without a change of layout at every layer, and
where a mask can lie on few pixels only, features are upscaled on those alone.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from .layers import EMBED_DIM, LayerNorm2d, MlpHead, neck
from .prompt_encoder import EMBEDDING_SIDE
from .swin_encoder import EncoderOutput
from .two_way_transformer import TwoWayTransformer

MASK_TOKENS = 4
UPSCALED_CHANNELS = 32


class MaskDecoder(nn.Module):
    """What both decoders share; a subclass says which maps an image gives and how its features are upscaled."""

    def __init__(self) -> None:
        super().__init__()
        self.transformer = TwoWayTransformer()
        self.iou_token = nn.Embedding(1, EMBED_DIM)
        self.mask_tokens = nn.Embedding(MASK_TOKENS, EMBED_DIM)
        self.output_hypernetworks_mlps = nn.ModuleList([MlpHead(UPSCALED_CHANNELS) for _ in range(MASK_TOKENS)])
        self.iou_prediction_head = MlpHead(MASK_TOKENS)

    def image_maps(self, encoded: EncoderOutput) -> tuple[Tensor, ...]:
        """What decoding reads of an image, (B, ...) each; the embedding (B, 4096, 256) comes first."""
        raise NotImplementedError

    def upscale(self, features: Tensor, maps: tuple[Tensor, ...]) -> Tensor:
        """Transformed features of P pixels (N, P, 256), and `image_maps` of the same, to (N, P, 4, 4, 32)."""
        raise NotImplementedError

    def forward(
        self, maps: tuple[Tensor, ...], position: Tensor, sparse: Tensor, dense: Tensor, pixels: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Decode N prompts.

        maps: from `image_maps`, of one image for all prompts or, without `pixels`, of one image a prompt.
        position: (1, 4096, 256). sparse: (N, T, 256). dense: (N, 4096, 256), or broadcast to that.
        pixels: (N, P) numbers of those wanted, of 4096; None: all.
        Returns logits (N, P, 4 * 4) of mask 0, the single-mask output, and its predicted IoU (N).
        """
        prompts = sparse.shape[0]
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        tokens = torch.cat([own.expand(prompts, -1, -1), sparse], dim=1)
        image = (maps[0] + dense).expand(prompts, -1, -1)
        tokens, image = self.transformer(tokens, image, position)
        # Masks 1 to 3 (segment-anything's ambiguous outputs) are never read; their tokens take part in attention.
        kernels = self.output_hypernetworks_mlps[0](tokens[:, 1])  # (N, 32)
        if pixels is not None:
            first_of_each = EMBEDDING_SIDE**2 * torch.arange(prompts, device=pixels.device)[:, None]
            image = _rows_of(image.flatten(0, 1), pixels + first_of_each)
            maps = tuple(_rows_of(one[0], pixels) for one in maps)
        logits = self.upscale(image, maps).flatten(1, 3) @ kernels[:, :, None]
        return logits.unflatten(1, (-1, 16))[..., 0], self.iou_prediction_head(tokens[:, 0])[:, 0]


class PlainMaskDecoder(MaskDecoder):
    """LiteMedSAM's decoder, which reads the embedding alone."""

    def __init__(self) -> None:
        super().__init__()
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(EMBED_DIM, 64, 2, stride=2),
            LayerNorm2d(64),
            nn.GELU(),
            nn.ConvTranspose2d(64, UPSCALED_CHANNELS, 2, stride=2),
            nn.GELU(),
        )

    def image_maps(self, encoded: EncoderOutput) -> tuple[Tensor, ...]:
        return (_as_pixels(encoded.embedding),)

    def upscale(self, features: Tensor, maps: tuple[Tensor, ...]) -> Tensor:
        double, norm, gelu, double_again, last_gelu = self.output_upscaling
        x = gelu(_norm(norm, _four_from_one(double, features)))
        return last_gelu(_four_from_one(double_again, x))


class SkipMaskDecoder(MaskDecoder):
    """Swin-LiteMedSAM's decoder: the encoder's stage outputs join in while the features are upscaled.

    The paper concatenates skips and features before a 1 x 1 convolution. Here each half of that
    convolution is applied by itself and the two are added, so that the skips' half is done once an image.
    """

    def __init__(self) -> None:
        super().__init__()
        self.neck = neck(160 + 320 + 320)
        self.output_upscaling1 = nn.Sequential(
            nn.Conv2d(EMBED_DIM + EMBED_DIM, 256, 1),
            LayerNorm2d(256),
            nn.GELU(),
            nn.ConvTranspose2d(256, 128, 2, stride=2),
            nn.GELU(),
        )
        self.output_upscaling2 = nn.Sequential(
            nn.Conv2d(128 + 128, 64, 1),
            LayerNorm2d(64),
            nn.GELU(),
            nn.ConvTranspose2d(64, UPSCALED_CHANNELS, 2, stride=2),
            nn.GELU(),
        )

    def image_maps(self, encoded: EncoderOutput) -> tuple[Tensor, ...]:
        """Embedding (B, 4096, 256), the skips' halves at 64 (B, 4096, 256) and at 128 (B, 4096, 4, 64)."""
        f0, f1, f2, f3 = encoded.skips
        coarse = self.neck(torch.cat([f1, f2, f3], dim=1))
        return (
            _as_pixels(encoded.embedding),
            _half_of(self.output_upscaling1[0], _as_pixels(coarse), after=EMBED_DIM),
            _half_of(self.output_upscaling2[0], _as_pixels_of_four(f0), after=128),
        )

    def upscale(self, features: Tensor, maps: tuple[Tensor, ...]) -> Tensor:
        _, coarse_half, fine_half = maps
        x = _upscale_with(self.output_upscaling1, features, coarse_half)
        return _upscale_with(self.output_upscaling2, x, fine_half)


def _upscale_with(layers: nn.Sequential, x: Tensor, skip_half: Tensor) -> Tensor:
    """(N, ..., C) and the skips' half to (N, ..., 4, channels_out): 1 x 1 convolution, then twice the side."""
    mix, norm, gelu, double, last_gelu = layers
    x = gelu(_norm(norm, _half_of(mix, x) + skip_half))
    return last_gelu(_four_from_one(double, x))


def _half_of(conv: nn.Module, x: Tensor, after: int = 0) -> Tensor:
    """A 1 x 1 convolution of (..., C) on its input channels from `after` on; the bias goes with the second half."""
    assert isinstance(conv, nn.Conv2d)
    weight = conv.weight[:, after : after + x.shape[-1], 0, 0]
    return F.linear(x, weight, conv.bias if after else None)


def _four_from_one(conv: nn.Module, x: Tensor) -> Tensor:
    """A 2 x 2 transposed convolution of stride 2: (..., C) to (..., 4, channels_out), upper left part first."""
    assert isinstance(conv, nn.ConvTranspose2d)
    assert conv.bias is not None
    weight = conv.weight.permute(2, 3, 1, 0).flatten(0, 2)  # (row, column, out), in
    return rearrange(F.linear(x, weight, conv.bias.repeat(4)), "... (part c) -> ... part c", part=4)


def _norm(norm: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(norm, LayerNorm2d)
    return norm.of_last_axis(x)


def _as_pixels(x: Tensor) -> Tensor:
    """(B, C, 64, 64) to (B, 4096, C)."""
    return x.flatten(2).transpose(1, 2)


def _as_pixels_of_four(x: Tensor) -> Tensor:
    """(B, C, 128, 128) to (B, 4096, 4, C)."""
    return rearrange(x, "b c (h i) (w j) -> b (h w) (i j) c", i=2, j=2)


def _rows_of(table: Tensor, numbers: Tensor) -> Tensor:
    """Rows (N, P, ...) of a table (M, ...) by their numbers (N, P)."""
    return table.index_select(0, numbers.flatten()).view(*numbers.shape, *table.shape[1:])


def in_rows(logits: Tensor) -> Tensor:
    """Logits of all pixels (N, 4096, 4 * 4), parts behind parts, to (N, 256, 256)."""
    side = EMBEDDING_SIDE
    return rearrange(logits, "n (h w) (i j k l) -> n (h i k) (w j l)", h=side, w=side, i=2, j=2, k=2, l=2)
