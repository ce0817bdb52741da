"""The warm start moves numbers to where they mean the same."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from app.networks.models import ARCHITECTURES
from app.networks.swin_encoder import WindowAttention
from app.networks.tiny_vit_encoder import Attention
from app.training.warm_start import State, _student_block, warm_start


@pytest.fixture(scope="module")
def teacher() -> State:
    torch.manual_seed(0)
    return {name: torch.randn_like(t.float()) for name, t in ARCHITECTURES["litemedsam"].build().state_dict().items()}


@pytest.fixture(scope="module")
def student() -> State:
    return dict(ARCHITECTURES["swin-litemedsam"].build().state_dict())


def test_names_and_shapes_stay_and_the_decoder_is_copied(student: State, teacher: State) -> None:
    warm = warm_start(student, teacher)
    assert {name: t.shape for name, t in warm.items()} == {name: t.shape for name, t in student.items()}
    for name in (
        "image_encoder.patch_embed.seq.2.bn.running_mean",
        "image_encoder.neck.2.weight",
        "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
        "mask_decoder.transformer.layers.1.mlp.lin1.weight",
        "mask_decoder.output_hypernetworks_mlps.0.layers.2.bias",
    ):
        torch.testing.assert_close(warm[name], teacher[name])
    torch.testing.assert_close(
        warm["mask_decoder.output_upscaling2.3.weight"], teacher["mask_decoder.output_upscaling.3.weight"]
    )
    fresh = "image_encoder.stage3.blocks.0.0.attention_block.fn.fn.to_qkv.weight"
    torch.testing.assert_close(warm[fresh], student[fresh])
    taken = [name for name in student if not torch.equal(warm[name], student[name])]
    assert sum(student[name].numel() for name in taken) > 6_000_000


def test_attention_gives_the_teachers_output_where_biases_allow(teacher: State) -> None:
    """Without q and k biases and with one table for all heads, both kinds of attention compute the same."""
    prefix = "image_encoder.layers.3.blocks.0."
    block = {name.removeprefix(prefix): t.clone() * 0.1 for name, t in teacher.items() if name.startswith(prefix)}
    bias = block["attn.qkv.bias"].reshape(10, 3, 32)
    bias[:, :2] = 0
    block["attn.attention_biases"][:] = block["attn.attention_biases"][:1]
    state = _student_block(block)
    theirs, ours = Attention(320, 10, window=7), WindowAttention(320, 10, shifted=False)
    theirs.load_state_dict({name.removeprefix("attn."): t for name, t in block.items() if name.startswith("attn.")})
    inner = "attention_block.fn.fn."
    ours.load_state_dict({name.removeprefix(inner): t for name, t in state.items() if name.startswith(inner)})
    tokens = torch.randn(1, 7, 7, 320)
    with torch.inference_mode():
        expected = theirs(tokens)
        normed = F.layer_norm(tokens, (320,), block["attn.norm.weight"], block["attn.norm.bias"])
        found = attend_on_part_of_a_window(ours, normed)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def attend_on_part_of_a_window(attention: WindowAttention, tokens: Tensor) -> Tensor:
    """The student's attention on the 7 x 7 upper left tokens of its 8 x 8 window, the others left out."""
    inside = torch.zeros(8, 8, dtype=torch.bool)
    inside[:7, :7] = True
    keep = inside.flatten().nonzero()[:, 0]
    q, k, v = attention.to_qkv(tokens.reshape(49, 320)).reshape(49, 3, 10, 32).permute(1, 2, 0, 3)
    bias = attention.position_bias(1, 1)[0, 0][keep][:, keep]
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    result: Tensor = attention.to_out(out.permute(1, 0, 2).reshape(49, 320)).reshape(1, 7, 7, 320)
    return result
