"""A student that begins with what its teacher knows: LiteMedSAM's weights where the student has their like.

Copied as they are: stem, the encoder's neck, prompt encoder, two-way transformer, tokens, hypernetworks, IoU
head, and of the upscaling its last norm and transposed convolution. Stage 4 takes layer 3's blocks, stages 1
and 2 what has the same shape in layers 1 and 2. Everything else keeps its fresh initial values.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..networks.swin_encoder import HEAD_WIDTH, WINDOW

State = dict[str, Tensor]

_COPIED = (
    "image_encoder.patch_embed.",
    "image_encoder.neck.",
    "image_encoder.layers.",  # where the student has the teacher's encoder
    "prompt_encoder.",
    "mask_decoder.transformer.",
    "mask_decoder.iou_token.",
    "mask_decoder.mask_tokens.",
    "mask_decoder.output_hypernetworks_mlps.",
    "mask_decoder.iou_prediction_head.",
)
_UPSCALING = {"output_upscaling.1.": "output_upscaling2.1.", "output_upscaling.3.": "output_upscaling2.3."}
# (stage, its block) from (layer, its block); of layer 2's six blocks the last two, whose output is the skip
_BLOCKS = {
    ("stage1", "0.0"): (1, 0),
    ("stage1", "0.1"): (1, 1),
    ("stage2", "0.0"): (2, 4),
    ("stage2", "0.1"): (2, 5),
    ("stage4", "0.0"): (3, 0),
    ("stage4", "0.1"): (3, 1),
}
_RENAMED = {
    "attn.norm": "attention_block.fn.norm",
    "local_conv": "local_conv",
    "mlp.norm": "mlp_block.fn.norm",
    "mlp.fc1": "mlp_block.fn.fn.net.0",
    "mlp.fc2": "mlp_block.fn.fn.net.2",
}


def warm_start(student: State, teacher: State) -> State:
    """The student's state with the teacher's numbers where they fit; names that changed are those that differ."""
    warm = dict(student)
    for name, tensor in teacher.items():
        if name.startswith(_COPIED) and name in student:
            warm[name] = tensor
        for old, new in _UPSCALING.items():
            if name.startswith(f"mask_decoder.{old}"):
                warm[name.replace(old, new)] = tensor
    for (stage, block), (layer, number) in _BLOCKS.items():
        prefix = f"image_encoder.layers.{layer}.blocks.{number}."
        block_state = {name.removeprefix(prefix): t for name, t in teacher.items() if name.startswith(prefix)}
        for name, tensor in _student_block(block_state).items():
            full = f"image_encoder.{stage}.blocks.{block}.{name}"
            if full in student and student[full].shape == tensor.shape:
                warm[full] = tensor
    return {name: warm[name].detach().clone() for name in student}


def is_copied(name: str) -> bool:
    """Whether the warm start takes this tensor of a student from the teacher, in whole and not block by block."""
    return name.startswith((*_COPIED, *(f"mask_decoder.{new}" for new in _UPSCALING.values())))


def _student_block(block: State) -> State:
    """A TinyViT block's numbers under a Swin block's names."""
    renamed = {
        name.replace(old, new, 1): tensor
        for old, new in _RENAMED.items()
        for name, tensor in block.items()
        if name.startswith(f"{old}.")
    }
    attention = "attention_block.fn.fn"
    heads = block["attn.attention_biases"].shape[0]
    # The teacher has q, k, v of the first head, then of the second; the student q of all heads, then k, then v.
    by_head = block["attn.qkv.weight"].reshape(heads, 3, HEAD_WIDTH, -1).transpose(0, 1)
    renamed[f"{attention}.to_qkv.weight"] = by_head.flatten(0, 2)
    # The student's q, k and v have no bias. That of v passes through attention unchanged, since weights sum to 1.
    value_bias = block["attn.qkv.bias"].reshape(heads, 3, HEAD_WIDTH)[:, 2].flatten()
    renamed[f"{attention}.to_out.weight"] = block["attn.proj.weight"]
    renamed[f"{attention}.to_out.bias"] = block["attn.proj.bias"] + block["attn.proj.weight"] @ value_bias
    renamed[f"{attention}.pos_embedding"] = _shared_table(block["attn.attention_biases"])
    return renamed


def _shared_table(biases: Tensor) -> Tensor:
    """(heads, W * W) biases by absolute distance to one (15, 15) table by signed offset, the mean over heads."""
    window = round(biases.shape[1] ** 0.5)
    by_distance = biases.mean(dim=0).reshape(window, window)
    distance = torch.arange(1 - WINDOW, WINDOW).abs().clamp(max=window - 1)
    return by_distance[distance[:, None], distance[None, :]]
