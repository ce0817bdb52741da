"""The reference data that lies beside the checkout: made-up weights, pictures and the prompts on them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from app.prompts.prompt import Prompt
from app.prompts.window import EMBEDDING_SIDE, Windows

PICTURES = ("chelsea", "cell", "coins", "camera", "microaneurysms")
FILES = {"swin-litemedsam": "parity_swin.npz", "litemedsam": "parity_litemedsam.npz"}


def made_up_weights(reference: Path, folder: Path) -> Path:
    """The deterministic stand-in weights of Swin-LiteMedSAM as a file, as a user would bring it."""
    spec = importlib.util.spec_from_file_location("make_state", reference / "make_state.py")
    assert spec is not None
    assert spec.loader is not None
    make_state: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_state)
    path = folder / "made_up.safetensors"
    make_state.write_safetensors(path, make_state.make_state(used_only=True))
    return path


def prompts_of(parity: Any, name: str) -> list[Prompt]:
    """The prompts on a picture, with points and scribbles where the parity file has them."""
    boxes = parity[f"{name}/box256"]
    if f"{name}/points" not in parity:
        return [Prompt(k + 1, 0, box) for k, box in enumerate(boxes)]
    scribbles = np.unpackbits(parity[f"{name}/scribble_bits"], axis=1).reshape(-1, 256, 256).astype(bool)
    rows = zip(boxes, parity[f"{name}/points"], scribbles, strict=True)
    return [Prompt(k + 1, 0, box, points, scribble) for k, (box, points, scribble) in enumerate(rows)]


def whole_frame(prompts: int) -> Windows:
    """The frame itself for every prompt."""
    return Windows(np.zeros((prompts, 2), np.int64), np.full((prompts, 2), EMBEDDING_SIDE, np.int64))
