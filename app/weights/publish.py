"""Bring a published checkpoint into the weights folder as safetensors, with its line in the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import safetensors.torch
import torch
from torch import Tensor

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
    if name in (known.name for known in manifest.entries):
        raise WeightsError(f"{folder / 'manifest.json'}: has a model {name} already; choose another name with --name")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_safetensors(target, architecture, tensors, dtype)
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


def write_safetensors(path: Path, architecture: str, tensors: dict[str, Tensor], dtype: Dtype) -> None:
    """Write named tensors atomically and in name order, so that equal tensors give equal bytes.

    Raises WeightsError for a number that `dtype` cannot hold, and OSError.
    """
    kind = torch.float16 if dtype == "float16" else torch.float32
    stored = {name: tensors[name].to("cpu", kind).contiguous() for name in sorted(tensors)}
    for name, tensor in stored.items():
        if not tensor.isfinite().all():
            raise WeightsError(f"{path}: {name} does not fit {dtype}; write it as float32")
    with write_atomically(path) as file:
        file.write(safetensors.torch.save(stored, metadata={"architecture": architecture}))
