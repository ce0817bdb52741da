"""Models without values have all their names and shapes, and cost no import of torch's compiler."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.networks.models import ARCHITECTURES, build_unfilled


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_names_and_shapes_are_those_of_a_filled_model(architecture: str) -> None:
    filled = ARCHITECTURES[architecture].build().state_dict()
    unfilled = build_unfilled(architecture).state_dict()
    assert {name: tensor.shape for name, tensor in unfilled.items()} == {name: t.shape for name, t in filled.items()}
    assert all(tensor.is_meta for tensor in unfilled.values())


def test_compiler_is_not_imported() -> None:
    # Importing it takes seconds, and fails where no folder for temporary files can be written.
    code = (
        "import sys; from app.networks.models import ARCHITECTURES, build_unfilled; "
        "[build_unfilled(name) for name in ARCHITECTURES]; sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0
