"""Segment-anything's two-way transformer: tokens attend to the image and the image to the tokens."""

from __future__ import annotations

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from .layers import EMBED_DIM

HEADS = 8
CROSS_WIDTH = EMBED_DIM // 2
MLP_WIDTH = 2048
TOKENS_READ = 2  # the first ones, of the IoU and of mask 0; the others have done their part before the last step


class Attention(nn.Module):
    """Attention with 8 heads of width `inner / 8`: q (B, T, 256), k and v (B, S, 256) to (B, T, 256).

    Between a few tokens and the 4096 pixels of an image, the image's projections are most of the work.
    `of_image` and `of_tokens` give the same numbers by projecting the tokens twice and the image never:
    q (W x) is (q W) x.
    """

    def __init__(self, inner: int) -> None:
        super().__init__()
        self.q_proj = nn.Linear(EMBED_DIM, inner)
        self.k_proj = nn.Linear(EMBED_DIM, inner)
        self.v_proj = nn.Linear(EMBED_DIM, inner)
        self.out_proj = nn.Linear(inner, EMBED_DIM)
        self._scale = (inner // HEADS) ** -0.5

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        out = F.scaled_dot_product_attention(_heads(self.q_proj(q)), _heads(self.k_proj(k)), _heads(self.v_proj(v)))
        return self.out_proj(_joined(out))

    def of_image(self, tokens: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Tokens (B, T, 256) attend to an image's keys and values (B, 4096, 256), to (B, T, 256)."""
        # The bias of k_proj adds the same to a token's every score, which softmax does not see.
        probes = _heads(self.q_proj(tokens)) @ _by_head(self.k_proj.weight)  # (B, 8, T, 256)
        scores = (self._scale * probes).flatten(1, 2) @ keys.transpose(1, 2)
        seen = scores.softmax(dim=-1) @ values  # (B, 8 T, 256)
        out = seen.unflatten(1, (HEADS, -1)) @ _by_head(self.v_proj.weight).transpose(1, 2)
        return self.out_proj(_joined(out) + self.v_proj.bias)

    def of_tokens(self, image: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """An image's pixels (B, 4096, 256) attend to tokens' keys and values (B, T, 256), to (B, 4096, 256)."""
        k = self._scale * _heads(self.k_proj(keys))  # (B, 8, T, 16)
        probes = (k @ _by_head(self.q_proj.weight)).flatten(1, 2)  # (B, 8 T, 256)
        scores = image @ probes.transpose(1, 2) + (k @ _by_head(self.q_proj.bias[:, None])).flatten(1)[:, None]
        shares = scores.unflatten(-1, (HEADS, -1)).softmax(dim=-1).flatten(2)  # (B, 4096, 8 T)
        given = _heads(self.v_proj(values)) @ _by_head(self.out_proj.weight.T)  # (B, 8, T, 256)
        return shares @ given.flatten(1, 2) + self.out_proj.bias


def _heads(x: Tensor) -> Tensor:
    """(B, T, 8 d) to (B, 8, T, d)."""
    return rearrange(x, "b t (heads d) -> b heads t d", heads=HEADS)


def _joined(x: Tensor) -> Tensor:
    """(B, 8, T, d) to (B, T, 8 d)."""
    return rearrange(x, "b heads t d -> b t (heads d)")


def _by_head(weight: Tensor) -> Tensor:
    """(8 d, C) to (8, d, C)."""
    return rearrange(weight, "(heads d) c -> heads d c", heads=HEADS)


class Mlp(nn.Module):
    """Linear to 2048, ReLU, linear back."""

    def __init__(self) -> None:
        super().__init__()
        self.lin1 = nn.Linear(EMBED_DIM, MLP_WIDTH)
        self.lin2 = nn.Linear(MLP_WIDTH, EMBED_DIM)

    def forward(self, x: Tensor) -> Tensor:
        return self.lin2(F.relu(self.lin1(x)))


class TwoWayLayer(nn.Module):
    """Self-attention of the tokens, tokens to image, MLP, image to tokens; LayerNorm after each."""

    def __init__(self, first: bool) -> None:
        super().__init__()
        self.first = first
        self.self_attn = Attention(EMBED_DIM)
        self.norm1 = nn.LayerNorm(EMBED_DIM)
        self.cross_attn_token_to_image = Attention(CROSS_WIDTH)
        self.norm2 = nn.LayerNorm(EMBED_DIM)
        self.mlp = Mlp()
        self.norm3 = nn.LayerNorm(EMBED_DIM)
        self.norm4 = nn.LayerNorm(EMBED_DIM)
        self.cross_attn_image_to_token = Attention(CROSS_WIDTH)

    def forward(self, tokens: Tensor, image: Tensor, token_code: Tensor, image_code: Tensor) -> tuple[Tensor, Tensor]:
        if self.first:  # the tokens are their own positional code here: it is not added, and nothing is kept
            tokens = self.norm1(self.self_attn(tokens, tokens, tokens))
        else:
            q = tokens + token_code
            tokens = self.norm1(tokens + self.self_attn(q, q, tokens))
        image_keys = image + image_code
        tokens = self.norm2(tokens + self.cross_attn_token_to_image.of_image(tokens + token_code, image_keys, image))
        tokens = self.norm3(tokens + self.mlp(tokens))
        image = self.norm4(image + self.cross_attn_image_to_token.of_tokens(image_keys, tokens + token_code, tokens))
        return tokens, image


class TwoWayTransformer(nn.Module):
    """tokens (B, T, 256) and image (B, 4096, 256) with its positional code (1, 4096, 256), to (B, 2, 256) and image."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([TwoWayLayer(first=True), TwoWayLayer(first=False)])
        self.final_attn_token_to_image = Attention(CROSS_WIDTH)
        self.norm_final_attn = nn.LayerNorm(EMBED_DIM)

    def forward(self, tokens: Tensor, image: Tensor, image_code: Tensor) -> tuple[Tensor, Tensor]:
        token_code = tokens
        for layer in self.layers:
            tokens, image = layer(tokens, image, token_code, image_code)
        tokens, token_code = tokens[:, :TOKENS_READ], token_code[:, :TOKENS_READ]
        attended = self.final_attn_token_to_image.of_image(tokens + token_code, image + image_code, image)
        return self.norm_final_attn(tokens + attended), image
