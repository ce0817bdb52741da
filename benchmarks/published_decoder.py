"""Swin-LiteMedSAM's mask decoder computed as it was published, on the modules of `app.networks`.

Channels first, skips concatenated and their neck applied for every prompt, all four masks, the image projected in
every attention. The numbers are the decoder's own; only the way to them is the longer one.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from app.networks.mask_decoders import SkipMaskDecoder
from app.networks.models import PromptableModel
from app.networks.swin_encoder import EncoderOutput
from app.networks.two_way_transformer import TwoWayTransformer


def decode_as_published(
    model: PromptableModel, encoded: EncoderOutput, box: Tensor, points: Tensor, scribble: Tensor
) -> Tensor:
    """One prompt: box (1, 4), points (1, 4, 2), scribble (1, 256, 256) to the logits (1, 256, 256) of mask 0."""
    decoder: Any = model.mask_decoder
    assert isinstance(decoder, SkipMaskDecoder)
    sparse, dense = model.prompt_encoder.sparse(box, points), model.prompt_encoder.dense(scribble)
    tokens = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])[None]
    image = _as_pixels(encoded.embedding) + dense
    tokens, image = _transform(
        decoder.transformer, torch.cat([tokens, sparse], dim=1), image, model.prompt_encoder.dense_position()
    )
    x = image.transpose(1, 2).view(1, -1, 64, 64)
    f0, *coarse = encoded.skips
    x = decoder.output_upscaling1(torch.cat([x, decoder.neck(torch.cat(coarse, dim=1))], dim=1))
    x = decoder.output_upscaling2(torch.cat([x, f0], dim=1))
    kernels = torch.stack([mlp(tokens[:, 1 + i]) for i, mlp in enumerate(decoder.output_hypernetworks_mlps)], dim=1)
    decoder.iou_prediction_head(tokens[:, 0])
    logits: Tensor = (kernels @ x.flatten(2)).view(1, -1, 256, 256)
    return logits[:, 0]


def _transform(transformer: TwoWayTransformer, tokens: Tensor, image: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
    first = tokens
    for layer in transformer.layers:
        tokens, image = _layer(layer, tokens, image, first, code)
    attended = transformer.final_attn_token_to_image(tokens + first, image + code, image)
    return transformer.norm_final_attn(tokens + attended), image


def _layer(layer: Any, tokens: Tensor, image: Tensor, first: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
    if layer.first:
        tokens = layer.norm1(layer.self_attn(tokens, tokens, tokens))
    else:
        q = tokens + first
        tokens = layer.norm1(tokens + layer.self_attn(q, q, tokens))
    tokens = layer.norm2(tokens + layer.cross_attn_token_to_image(tokens + first, image + code, image))
    tokens = layer.norm3(tokens + layer.mlp(tokens))
    image = layer.norm4(image + layer.cross_attn_image_to_token(image + code, tokens + first, tokens))
    return tokens, image


def _as_pixels(x: Tensor) -> Tensor:
    return x.flatten(2).transpose(1, 2)
