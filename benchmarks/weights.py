"""Swin-LiteMedSAM's weights for timing, where no trained ones are given."""

from __future__ import annotations

from pathlib import Path

import torch

from app.networks.models import ARCHITECTURES
from app.weights.load import is_read
from app.weights.publish import write_safetensors

ARCHITECTURE = "swin-litemedsam"
# Time does not depend on the numbers but on how large the masks are; of the first seeds this one gives masks
# that are neither empty nor full, 38 to 69 % of their windows.
SEED = 1


def write_made_up_weights(path: Path) -> None:
    """Random weights of the right shapes, in float32."""
    torch.manual_seed(SEED)
    state = ARCHITECTURES[ARCHITECTURE].build().state_dict()
    write_safetensors(path, ARCHITECTURE, {name: state[name] for name in state if is_read(name)}, "float32")


def given_or_made_up(given: Path | None, folder: Path) -> Path:
    """The file that was asked for, or one with made-up weights in `folder`."""
    if given is not None:
        return given
    path = folder / "made_up.safetensors"
    write_made_up_weights(path)
    return path
