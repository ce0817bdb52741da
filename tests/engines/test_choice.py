"""Which engine and which precision are taken where nothing, or something impossible, is asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.engines import compiled, precision
from app.engines.load import load_engine
from app.engines.openvino_engine import OpenVinoEngine
from app.engines.precision import has_bfloat16, quickest_faithful_precision
from app.engines.torch_engine import TorchEngine
from app.errors import InputError
from app.prompts.rules import PromptStyle
from app.segment.segmenter import load_segmenter
from app.weights.manifest import Agreement

FAITHFUL = Agreement(mean=0.998, minimum=0.98)


def test_auto_takes_openvino_and_falls_back_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(load_engine("litemedsam", None, "auto", "auto", 1), OpenVinoEngine)
    monkeypatch.setitem(sys.modules, "app.engines.openvino_engine", None)
    assert isinstance(load_engine("litemedsam", None, "auto", "auto", 1), TorchEngine)
    with pytest.raises(InputError, match="pip install openvino"):
        load_engine("litemedsam", None, "openvino", "auto", 1)


def test_prompts_that_the_graphs_do_not_take_go_to_torch() -> None:
    style = PromptStyle(parts="box")
    assert load_segmenter("litemedsam-skip", style=style).info.engine.startswith("torch")
    assert load_segmenter("litemedsam", engine="openvino", style=style).info.engine.startswith("openvino")
    with pytest.raises(InputError, match=r"not box by image; take --engine torch"):
        load_segmenter("litemedsam-skip", engine="openvino", style=style)


def test_a_precision_that_the_processor_does_not_give_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(compiled, "_TYPES", compiled._TYPES | {"bfloat16": compiled._TYPES["float32"]})
    (tmp_path / "no cache").touch()
    monkeypatch.setenv("SWINLITE_CACHE", str(tmp_path / "no cache"))
    with pytest.raises(InputError, match="computes at float32 on this processor, not at bfloat16"):
        load_engine("litemedsam", None, "openvino", "bfloat16", 1)


@pytest.mark.parametrize(
    ("agreement", "native", "expected"),
    [
        (FAITHFUL, True, "bfloat16"),
        (FAITHFUL, False, "float32"),
        (None, True, "float32"),
        (Agreement(mean=0.9979, minimum=0.99), True, "float32"),
        (Agreement(mean=0.999, minimum=0.979), True, "float32"),
    ],
)
def test_bfloat16_needs_the_processor_and_the_record(
    agreement: Agreement | None, native: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: native)
    assert quickest_faithful_precision(agreement) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("flags\t\t: fpu avx512f avx512_bf16", True),
        ("Features\t: fp asimd bf16", True),
        ("flags\t\t: fpu avx512f avx2", False),
        ("model name\t: bf16", False),
    ],
)
def test_the_processor_says_whether_it_has_bfloat16(line: str, expected: bool, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{line}\n")
    assert has_bfloat16(tmp_path / "cpuinfo") == expected
    assert not has_bfloat16(tmp_path / "missing")
