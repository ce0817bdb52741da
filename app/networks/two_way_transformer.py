"""Segment-anything's two-way transformer: tokens attend to the image and the image to the tokens."""

from __future__ import annotations

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from .layers import EMBED_DIM

HEADS = 8
CROSS_WIDTH = EMBED_DIM // 2
MLP_WIDTH = 2048


class Attention(nn.Module):
    """Attention with 8 heads of width `inner / 8`: q (B, T, 256), k and v (B, S, 256) to (B, T, 256)."""

    def __init__(self, inner: int) -> None:
        super().__init__()
        self.q_proj = nn.Linear(EMBED_DIM, inner)
        self.k_proj = nn.Linear(EMBED_DIM, inner)
        self.v_proj = nn.Linear(EMBED_DIM, inner)
        self.out_proj = nn.Linear(inner, EMBED_DIM)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        heads = [
            rearrange(projection(x), "b t (heads d) -> b heads t d", heads=HEADS)
            for projection, x in ((self.q_proj, q), (self.k_proj, k), (self.v_proj, v))
        ]
        out = F.scaled_dot_product_attention(*heads)
        return self.out_proj(rearrange(out, "b heads t d -> b t (heads d)"))


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
        tokens = self.norm2(tokens + self.cross_attn_token_to_image(tokens + token_code, image_keys, image))
        tokens = self.norm3(tokens + self.mlp(tokens))
        image = self.norm4(image + self.cross_attn_image_to_token(image_keys, tokens + token_code, tokens))
        return tokens, image


class TwoWayTransformer(nn.Module):
    """tokens (B, T, 256) and image (B, 4096, 256) with its positional code (1, 4096, 256), to both refined."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([TwoWayLayer(first=True), TwoWayLayer(first=False)])
        self.final_attn_token_to_image = Attention(CROSS_WIDTH)
        self.norm_final_attn = nn.LayerNorm(EMBED_DIM)

    def forward(self, tokens: Tensor, image: Tensor, image_code: Tensor) -> tuple[Tensor, Tensor]:
        token_code = tokens
        for layer in self.layers:
            tokens, image = layer(tokens, image, token_code, image_code)
        attended = self.final_attn_token_to_image(tokens + token_code, image + image_code, image)
        return self.norm_final_attn(tokens + attended), image
