"""The mask decoders: segment-anything's plain one (LiteMedSAM) and Swin-LiteMedSAM's with skip connections.

Both split their work: `image_maps` computes what depends on the image alone, once an image; `forward`
decodes a batch of prompts on those maps.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
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
        """What decoding reads of an image, (B, ...) each; the embedding (B, 256, 64, 64) comes first."""
        raise NotImplementedError

    def upscale(self, features: Tensor, maps: tuple[Tensor, ...]) -> Tensor:
        """Transformed image features (N, 256, 64, 64) to (N, 32, 256, 256)."""
        raise NotImplementedError

    def forward(
        self, maps: tuple[Tensor, ...], position: Tensor, sparse: Tensor, dense: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Decode N prompts.

        maps: from `image_maps`, of one image for all prompts or of one image a prompt.
        position: (1, 256, 64, 64). sparse: (N, T, 256). dense: (N or 1, 256, 64, 64), or broadcast to that.
        Returns logits (N, 256, 256) of mask 0, the single-mask output, and its predicted IoU (N).
        """
        prompts = sparse.shape[0]
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        tokens = torch.cat([own.expand(prompts, -1, -1), sparse], dim=1)
        image = (maps[0] + dense).flatten(2).transpose(1, 2).expand(prompts, -1, -1)
        tokens, image = self.transformer(tokens, image, position.flatten(2).transpose(1, 2))
        image = image.transpose(1, 2).unflatten(2, (EMBEDDING_SIDE, EMBEDDING_SIDE))
        # Masks 1 to 3 (segment-anything's ambiguous outputs) are never read; their tokens take part in attention.
        kernels = self.output_hypernetworks_mlps[0](tokens[:, 1])  # (N, 32)
        logits = torch.einsum("nc,nchw->nhw", kernels, self.upscale(image, maps))
        return logits, self.iou_prediction_head(tokens[:, 0])[:, 0]


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
        return (encoded.embedding,)

    def upscale(self, features: Tensor, maps: tuple[Tensor, ...]) -> Tensor:
        return self.output_upscaling(features)


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
        """Embedding (B, 256, 64, 64), the skips' halves at 64 (B, 256, 64, 64) and at 128 (B, 64, 128, 128)."""
        f0, f1, f2, f3 = encoded.skips
        coarse = self.neck(torch.cat([f1, f2, f3], dim=1))
        return (
            encoded.embedding,
            _half_of(self.output_upscaling1[0], coarse, after=EMBED_DIM),
            _half_of(self.output_upscaling2[0], f0, after=128),
        )

    def upscale(self, features: Tensor, maps: tuple[Tensor, ...]) -> Tensor:
        _, coarse_half, fine_half = maps
        x = self.output_upscaling1[1:](_half_of(self.output_upscaling1[0], features) + coarse_half)
        return self.output_upscaling2[1:](_half_of(self.output_upscaling2[0], x) + fine_half)


def _half_of(conv: nn.Module, x: Tensor, after: int = 0) -> Tensor:
    """A 1 x 1 convolution restricted to its input channels from `after` on; the bias goes with the second half."""
    assert isinstance(conv, nn.Conv2d)
    weight = conv.weight[:, after : after + x.shape[1]]
    return F.conv2d(x, weight, conv.bias if after else None)
