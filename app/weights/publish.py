"""Bring a published checkpoint into the weights folder as safetensors, with its line in the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import safetensors.torch
import torch

from ..cases.atomic import write_atomically
from ..errors import WeightsError
from .load import read_checkpoint
from .manifest import Manifest, ModelEntry, sha256_of

Dtype = Literal["float16", "float32"]


def import_checkpoint(
    source: Path, folder: Path, name: str, dtype: Dtype, code_licence: str, weights_licence: str
) -> ModelEntry:
    """Write `folder/name.safetensors` and the manifest's entry. Raises WeightsError."""
    architecture, tensors = read_checkpoint(source)
    target = folder / f"{name}.safetensors"
    manifest = Manifest.read(folder) if (folder / "manifest.json").exists() else Manifest(folder, ())
    kind = torch.float16 if dtype == "float16" else torch.float32
    stored = {key: tensors[key].to(kind).contiguous() for key in sorted(tensors)}
    for key, tensor in stored.items():
        if not tensor.isfinite().all():
            raise WeightsError(f"{source}: {key} does not fit {dtype}; import it with --dtype float32")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with write_atomically(target) as file:
            file.write(safetensors.torch.save(stored, metadata={"architecture": architecture}))
        entry = ModelEntry(
            name=name,
            architecture=architecture,
            file=target.name,
            sha256=sha256_of(target),
            code_licence=code_licence,
            weights_licence=weights_licence,
            source=f"imported from {source.name}, sha256 {sha256_of(source)}",
        )
        manifest.with_entry(entry).write()
    except OSError as error:
        raise WeightsError(f"{folder}: cannot be written: {error.strerror}; choose another with --folder") from error
    return entry
