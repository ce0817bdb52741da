"""Bring a published checkpoint into the weights folder as safetensors, with its line in the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import safetensors.torch
import torch
from torch import Tensor

from ..cases.atomic import write_atomically
from ..errors import WeightsError
from .load import ENCODER, read_checkpoint, read_encoder
from .manifest import Manifest, ModelEntry, sha256_of

Dtype = Literal["float16", "float32"]


@dataclass(frozen=True)
class Origin:
    """What the manifest says of a model beside its numbers."""

    code_licence: str
    weights_licence: str
    source: str | None = None


def import_checkpoint(
    source: Path, folder: Path, name: str, dtype: Dtype, origin: Origin, encoder_from: str | None = None
) -> ModelEntry:
    """Write `folder/name.safetensors` and the manifest's entry.

    The image encoder is left out where it is that of the model `encoder_from`. Raises WeightsError.
    """
    architecture, tensors = read_checkpoint(source)
    target = folder / f"{name}.safetensors"
    manifest = Manifest.read(folder) if (folder / "manifest.json").exists() else Manifest(folder, ())
    if name in (known.name for known in manifest.entries):
        raise WeightsError(f"{folder / 'manifest.json'}: has a model {name} already; choose another name with --name")
    if encoder_from is not None:
        tensors = _without_encoder(source, tensors, read_encoder(manifest.weights(encoder_from)), encoder_from)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_safetensors(target, architecture, tensors, dtype)
        entry = ModelEntry(
            name=name,
            architecture=architecture,
            file=target.name,
            sha256=sha256_of(target),
            code_licence=origin.code_licence,
            weights_licence=origin.weights_licence,
            source=origin.source or f"imported from {source.name}, sha256 {sha256_of(source)}",
            encoder_from=encoder_from,
        )
        manifest.with_entry(entry).write()
    except OSError as error:
        raise WeightsError(f"{folder}: cannot be written: {error.strerror}; choose another with --folder") from error
    return entry


def _without_encoder(
    source: Path, tensors: dict[str, Tensor], encoder: dict[str, Tensor], model: str
) -> dict[str, Tensor]:
    own = {name: tensor for name, tensor in tensors.items() if name.startswith(ENCODER)}
    if own.keys() != encoder.keys() or not all(torch.equal(own[name], encoder[name]) for name in own):
        raise WeightsError(f"{source}: its image encoder is not that of {model}; import it without --encoder-from")
    return {name: tensor for name, tensor in tensors.items() if name not in encoder}


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
