"""OpenVINO against torch: the same numbers at float32, nearly the same masks at bfloat16."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.arrays import BoolArray
from app.engines.engine import Engine
from app.engines.load import EngineChoice, PrecisionChoice, load_engine
from app.engines.precision import has_bfloat16
from app.frame import make_frame
from app.prompts.window import windows_around
from tests.reference import FILES, made_up_weights, prompts_of, whole_frame

LoadEngine = Callable[[EngineChoice, PrecisionChoice], Engine]


@pytest.fixture(params=FILES)
def architecture(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def load(architecture: str, reference: Path, tmp_path: Path) -> LoadEngine:
    file = made_up_weights(reference, tmp_path) if architecture == "swin-litemedsam" else None
    return lambda engine, precision: load_engine(None if file else architecture, file, engine, precision, 2)


def test_engines_agree_at_float32(architecture: str, load: LoadEngine, reference: Path) -> None:
    pictures, parity = np.load(reference / "images.npz"), np.load(reference / FILES[architecture])
    engines = [load(name, "float32") for name in ("torch", "openvino")]
    assert [engine.info.precision for engine in engines] == ["float32", "float32"]
    # Both frames are encoded first: the second must not overwrite what was kept of the first.
    names = ("chelsea", "camera")
    frames = np.stack([make_frame(pictures[f"{name}_img"]).pixels for name in names])
    both = [engine.encode(frames) for engine in engines]
    for i, name in enumerate(names):
        prompts = prompts_of(parity, name)
        windows = whole_frame(len(prompts))
        ours, theirs = (e.decode(features[i], prompts, windows) for e, features in zip(engines, both, strict=True))
        np.testing.assert_allclose(theirs.logits, ours.logits, rtol=0, atol=5e-4)
        np.testing.assert_allclose(theirs.iou, ours.iou, rtol=0, atol=1e-5)
        assert np.count_nonzero((ours.logits > 0) != (theirs.logits > 0)) <= 4
        near = windows_around(prompts, margin=0.25)
        for engine, features, whole in zip(engines, both, (ours, theirs), strict=True):
            decoded = engine.decode(features[i], prompts, near)
            inside = near.inside
            assert inside.mean() < 0.9
            np.testing.assert_allclose(decoded.logits[inside], whole.logits[inside], rtol=0, atol=1e-4)
            assert (decoded.logits[~inside] < 0).all()
        alone = engines[1].decode(both[1][i], prompts[-1:], whole_frame(1))
        np.testing.assert_allclose(alone.logits[0], theirs.logits[-1], rtol=0, atol=5e-4)
    assert both[0][0].nbytes == both[1][0].nbytes <= 12_600_000


@pytest.mark.skipif(not has_bfloat16(), reason="this processor has no bfloat16")
@pytest.mark.parametrize("name", ["torch", "openvino"])
def test_bfloat16_halves_the_maps_and_keeps_the_masks_close(
    architecture: str, load: LoadEngine, name: EngineChoice, reference: Path
) -> None:
    parity = np.load(reference / FILES[architecture])
    engine = load(name, "bfloat16")
    [features] = engine.encode(make_frame(np.load(reference / "images.npz")["chelsea_img"]).pixels[None])
    prompts = prompts_of(parity, "chelsea")
    masks = engine.decode(features, prompts, whole_frame(len(prompts))).logits > 0
    assert engine.info.precision == "bfloat16"
    assert features.nbytes <= 6_300_000
    assert min(map(dice, masks, parity["chelsea/logits"] > 0)) > 0.95


def dice(a: BoolArray, b: BoolArray) -> float:
    return float(2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)))
