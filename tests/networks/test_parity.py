"""Our networks against the numbers that the published code gave (limits: the reference's README)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch

from app.arrays import AnyArray
from app.engines.torch_engine import TorchEngine
from app.frame import Frame, Geometry, make_frame
from app.networks.layers import ConvBN
from app.networks.models import ARCHITECTURES, PromptableModel
from app.prompts.prompt import Prompt
from app.weights.load import LoadedWeights, load_weights
from tests.reference import FILES, PICTURES, made_up_weights, prompts_of, whole_frame


def weights_of(architecture: str, reference: Path, folder: Path) -> LoadedWeights:
    file = made_up_weights(reference, folder) if architecture == "swin-litemedsam" else None
    return load_weights(None if file else architecture, file)


def largest_difference(found: AnyArray, parity: Any, key: str) -> float:
    """Of a full (C, H, W) map against the reference's sub-sampled copy."""
    starts, steps = parity[f"{key}_idx"]
    return float(
        np.abs(found[tuple(slice(a, None, s) for a, s in zip(starts, steps, strict=True))] - parity[key]).max()
    )


def in_rows(pixels: AnyArray) -> AnyArray:
    """The decoder's lists of pixels (4096, C), (4096, 4, C) or (4096, 4, 4, C) to (C, H, W)."""
    tiles = pixels.reshape(64, 64, *(2,) * 2 * (pixels.ndim - 2), -1)
    rows, columns = range(0, tiles.ndim - 1, 2), range(1, tiles.ndim - 1, 2)
    side = 64 << (pixels.ndim - 2)
    return tiles.transpose(-1, *rows, *columns).reshape(-1, side, side)


@pytest.mark.parametrize("architecture", FILES)
def test_embedding_logits_iou_and_masks_agree_on_every_picture(
    architecture: str, reference: Path, tmp_path: Path
) -> None:
    engine = TorchEngine(weights_of(architecture, reference, tmp_path), threads=2)
    images, parity = np.load(reference / "images.npz"), np.load(reference / FILES[architecture])
    wrong_pixels = 0
    for name in PICTURES:
        frame = make_frame(images[f"{name}_img"])
        [features] = engine.encode(frame.pixels[None])
        assert largest_difference(in_rows(features.maps[0][0].numpy()), parity, f"{name}/embedding") < 1e-4
        prompts = prompts_of(parity, name)
        np.testing.assert_array_equal(
            [frame.geometry.box_to_frame(box) for box in images[f"{name}_boxes"]], [prompt.box for prompt in prompts]
        )
        decoded = engine.decode(features, prompts, whole_frame(len(prompts)))
        np.testing.assert_allclose(decoded.logits, parity[f"{name}/logits"], rtol=0, atol=5e-4)
        np.testing.assert_allclose(decoded.iou, parity[f"{name}/iou"], rtol=0, atol=1e-5)
        wrong_pixels += mask_differences(decoded.logits, frame.geometry, parity[f"{name}/mask_bits"])
    assert wrong_pixels <= 20


def mask_differences(logits: AnyArray, geometry: Geometry, mask_bits: AnyArray) -> int:
    pixels = geometry.height * geometry.width
    expected = np.unpackbits(mask_bits, axis=1)[:, :pixels].reshape(-1, geometry.height, geometry.width).astype(bool)
    found = np.stack([geometry.whole(geometry.logits_to_mask(one)) for one in logits])
    return int(np.count_nonzero(found != expected))


def test_frames_equal_the_published_preprocessing(reference: Path) -> None:
    images, parity = np.load(reference / "images.npz"), np.load(reference / "parity_swin.npz")
    for name in PICTURES:
        resized = parity[f"{name}/img256"].astype(np.float64)
        expected = (resized - resized.min()) / max(resized.max() - resized.min(), 1e-8)
        frame = make_frame(images[f"{name}_img"])
        height, width = frame.geometry.resized
        assert (frame.geometry.height, frame.geometry.width, height, width) == tuple(parity[f"{name}/size"])
        content = frame.pixels[:, :height, :width].transpose(1, 2, 0)
        # OpenCV releases differ by a grey level in few pixels of an area resize
        difference = np.abs(content - (expected if expected.ndim == 3 else expected[..., None]))
        assert difference.max() <= 1.01 / 255
        assert np.mean(difference > 1e-6) < 1e-3
        assert not frame.pixels[:, height:].any()
        assert not frame.pixels[:, :, width:].any()


Layout = Literal["channels first", "channels last", "pixels"]

# Where each intermediate of the reference leaves our modules
SWIN_TRACE: dict[str, tuple[str, Layout]] = {
    "patch_embed": ("image_encoder.patch_embed.seq", "channels first"),
    "s1_down": ("image_encoder.stage1.downsample", "channels last"),
    "s1_b0_attn": ("image_encoder.stage1.blocks.0.0.attention_block", "channels last"),
    "s1_b0_conv": ("image_encoder.stage1.blocks.0.0.local_conv", "channels first"),
    "s1_b0": ("image_encoder.stage1.blocks.0.0", "channels last"),
    "s1_b1_attn": ("image_encoder.stage1.blocks.0.1.attention_block", "channels last"),
    "s1_b1": ("image_encoder.stage1.blocks.0.1", "channels last"),
    "s2_down": ("image_encoder.stage2.downsample", "channels last"),
    "s2_b0": ("image_encoder.stage2.blocks.0.0", "channels last"),
    "dec_neck": ("mask_decoder.neck", "channels first"),
    "up1": ("mask_decoder.output_upscaling1.4", "pixels"),
    "up2": ("mask_decoder.output_upscaling2.4", "pixels"),
}
LITE_TRACE: dict[str, tuple[str, Layout]] = {
    "patch_embed": ("image_encoder.patch_embed.seq", "channels first"),
    "l0_b0": ("image_encoder.layers.0.blocks.0", "channels first"),
    "l0_b1": ("image_encoder.layers.0.blocks.1", "channels first"),
    "l0_down": ("image_encoder.layers.0.downsample", "channels first"),
    "l1_b0_conv": ("image_encoder.layers.1.blocks.0.local_conv", "channels first"),
    "l1_b0": ("image_encoder.layers.1.blocks.0", "channels first"),
    "l1_down": ("image_encoder.layers.1.downsample", "channels first"),
    "l2_b0": ("image_encoder.layers.2.blocks.0", "channels first"),
    "l2_down": ("image_encoder.layers.2.downsample", "channels first"),
    "l3": ("image_encoder.layers.3.blocks", "channels first"),
    "up": ("mask_decoder.output_upscaling.4", "pixels"),
}
TRANSFORMER = "mask_decoder.transformer"


@pytest.mark.parametrize("architecture", FILES)
def test_every_traced_intermediate_agrees(architecture: str, reference: Path, tmp_path: Path) -> None:
    swin = architecture == "swin-litemedsam"
    weights = weights_of(architecture, reference, tmp_path)
    model = ARCHITECTURES[architecture].build().eval()
    model.load_state_dict(weights.tensors, strict=False)
    parity = np.load(reference / FILES[architecture])
    frame = make_frame(np.load(reference / "images.npz")["chelsea_img"])
    caught = run_and_catch(model, frame, prompts_of(parity, "chelsea")[0])
    maps = SWIN_TRACE if swin else LITE_TRACE
    for key, (module, layout) in maps.items():
        found = caught[module][0]
        if layout != "channels first":
            found = found.transpose(2, 0, 1) if layout == "channels last" else in_rows(found)
        assert largest_difference(found, parity, f"trace/{key}") < 2e-4, key
    tokens, image = caught[TRANSFORMER]
    assert largest_difference(in_rows(image[0]), parity, "trace/image_out") < 2e-4
    for key, found in {
        "sparse": caught["sparse"][0],
        "tokens_layer0": caught[f"{TRANSFORMER}.layers.0"][0][0],
        "tokens_out": tokens[0],
        "hyper0": caught["mask_decoder.output_hypernetworks_mlps.0"][0],
        "iou_all": caught["mask_decoder.iou_prediction_head"][0],
    }.items():
        np.testing.assert_allclose(found, parity[f"trace/{key}"][: len(found)], rtol=0, atol=2e-4, err_msg=key)
    if swin:
        assert largest_difference(in_rows(caught["dense"][0]), parity, "trace/dense") < 2e-4
        assert largest_difference(in_rows(caught["position"][0]), parity, "trace/dense_pe") < 2e-4


def run_and_catch(model: PromptableModel, frame: Frame, prompt: Prompt) -> dict[str, Any]:
    """Outputs of every module by its name, as arrays (tuples of arrays for layers of the transformer)."""
    caught: dict[str, Any] = {}

    def to_arrays(output: Any) -> Any:
        return tuple(to_arrays(one) for one in output) if isinstance(output, tuple) else output.numpy().copy()

    for name, module in model.named_modules():
        if name:
            module.register_forward_hook(lambda _m, _i, out, name=name: caught.__setitem__(name, to_arrays(out)))
    with torch.inference_mode():
        maps = model.encode(torch.from_numpy(frame.pixels[None]))
        box = torch.from_numpy(prompt.box[None].astype(np.float32))
        points = None if prompt.points is None else torch.from_numpy(prompt.points[None])
        scribble = None if prompt.scribble is None else torch.from_numpy(prompt.scribble[None].astype(np.float32))
        model.decode(maps, box, points, scribble)
        caught["sparse"] = model.prompt_encoder.sparse(box, points).numpy()
        caught["dense"] = model.prompt_encoder.dense(scribble).numpy()
        caught["position"] = model.prompt_encoder.dense_position().numpy()
    return caught


def test_swin_has_the_published_number_of_parameters_that_are_read() -> None:
    model = ARCHITECTURES["swin-litemedsam"].build()
    # network.md section 8: used 15,638,844, of which 49,152 are shift masks that we build
    assert sum(p.numel() for p in model.parameters()) == 15_638_844 - 49_152


def test_folding_batch_norm_keeps_the_numbers() -> None:
    torch.manual_seed(0)
    layer = ConvBN(8, 16, kernel=3)
    assert isinstance(layer.bn, torch.nn.BatchNorm2d)
    for statistic in (layer.bn.running_mean, layer.bn.running_var, layer.bn.weight, layer.bn.bias):
        assert statistic is not None
        torch.nn.init.uniform_(statistic, 0.5, 1.5)
    x = torch.randn(2, 8, 10, 10)
    expected = layer.eval()(x)
    layer.fold()
    assert isinstance(layer.bn, torch.nn.Identity)
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-5)
