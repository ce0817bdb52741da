"""From a weights file to tensors that fit an architecture; nothing but tensors is ever unpickled."""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from ..errors import WeightsError
from ..networks.models import ARCHITECTURES, build_unfilled
from ..networks.swin_encoder import crosses_cut, token_coordinate
from .manifest import WeightsFile, find_weights

# In published Swin-LiteMedSAM files, read by no forward pass (21.13 M numbers).
_NEVER_READ = re.compile(r"mask_decoder\.prompt[12]\.|.*\.num_batches_tracked$")
ENCODER = "image_encoder."
_SHIFT_MASK = re.compile(r".*\.(upper_lower|left_right)_mask$")
_NAMES_SHOWN = 8


@dataclass(frozen=True)
class LoadedWeights:
    """Tensors in float32 under their published names, complete for `architecture`."""

    name: str
    architecture: str
    path: Path
    sha256: str
    tensors: dict[str, Tensor]


def load_weights(model: str | None = None, file: Path | None = None, architecture: str | None = None) -> LoadedWeights:
    """Weights of a model of the manifest (None: the default), or of any file.

    Raises WeightsError, also where they are not of the `architecture` that is asked for.
    """
    loaded = read_weights(find_weights(model, file))
    if architecture not in (None, loaded.architecture):
        raise WeightsError(f"{loaded.path}: holds {loaded.architecture}, expected {architecture}")
    return loaded


def read_weights(found: WeightsFile) -> LoadedWeights:
    """The tensors of a file. Raises WeightsError, also where they are not what the manifest says."""
    found.check()
    architecture, tensors = read_checkpoint(found.path, read_encoder(found.encoder) if found.encoder else None)
    if found.architecture not in (None, architecture):
        raise WeightsError(
            f"{found.path}: holds {architecture}, the manifest says {found.architecture}; correct it there"
        )
    return LoadedWeights(found.name, architecture, found.path, found.sha256, tensors)


def read_encoder(found: WeightsFile) -> dict[str, Tensor]:
    """The image encoder's tensors of a file. Raises WeightsError."""
    return {name: tensor for name, tensor in read_weights(found).tensors.items() if name.startswith(ENCODER)}


def read_checkpoint(path: Path, encoder: Mapping[str, Tensor] | None = None) -> tuple[str, dict[str, Tensor]]:
    """Architecture and float32 tensors of a safetensors file or a published `.pth`.

    A `.pth` may be the bare state dict or hold it under `model`, with or without `module.` before each
    name. What no forward pass reads is dropped. `encoder` stands in for an image encoder that the file lacks.
    Raises WeightsError that lists missing and surplus names.
    """
    state = {**(encoder or {}), **_plain_state(path, _read(path))}
    state = {name: tensor for name, tensor in state.items() if not _droppable(path, name, tensor)}
    architecture, expected = _closest_architecture(state)
    _check_names(path, architecture, expected.keys(), state.keys())
    for name, shape in expected.items():
        if state[name].shape != shape:
            raise WeightsError(
                f"{path}: {name} has shape {tuple(state[name].shape)}, {architecture} needs {tuple(shape)}"
            )
    # only now, as a tensor of few numbers may state a shape of any size
    tensors = {name: tensor.float() for name, tensor in state.items()}
    for name in expected:
        # NumPy, since torch wakes its thread pool for each of these few hundred checks
        if not np.isfinite(tensors[name].numpy()).all():
            raise WeightsError(f"{path}: {name} holds values that are not finite; the file is damaged")
    return architecture, tensors


def is_read(name: str) -> bool:
    """Whether a forward pass in inference reads the tensor of this published name."""
    return _NEVER_READ.match(name) is None


def _read(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's, on how older versions of it saved
            if path.suffix == ".safetensors":
                return safetensors.torch.load_file(path)
            _require_plain_zip(path)
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path}: holds objects other than tensors, which are never unpickled; "
            "save its state dict alone with torch.save(model.state_dict(), FILE)"
        ) from error
    except WeightsError:
        raise
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except Exception as error:  # a damaged file makes the unpickler stumble in any way there is
        first_line = str(error).partition("\n")[0]
        raise WeightsError(f"{path}: is no checkpoint that torch or safetensors can read ({first_line})") from error


def _require_plain_zip(path: Path) -> None:
    """torch stores its records as they are, but reads deflated ones too, however large they become."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
                raise WeightsError(f"{path}: is compressed, as torch.save never does; save it again")


def _plain_state(path: Path, content: Any) -> dict[str, Tensor]:
    if isinstance(content, dict) and isinstance(content.get("model"), dict):
        content = content["model"]
    if not isinstance(content, dict):
        raise WeightsError(f"{path}: holds a {type(content).__name__}, expected a state dict of named tensors")
    state = {str(name).removeprefix("module."): value for name, value in content.items()}
    others = [name for name, value in state.items() if not isinstance(value, Tensor)]
    if others:
        raise WeightsError(
            f"{path}: expected a state dict of named tensors, these entries are none: {_some(others)}; "
            "if the state dict lies under a name other than 'model', save it alone"
        )
    odd = [name for name, tensor in state.items() if not _is_plain(tensor)]
    if odd:
        raise WeightsError(
            f"{path}: expected dense tensors of real numbers, these are sparse, complex, quantised or without values: "
            f"{_some(odd)}; save them as float32"
        )
    return state


def _is_plain(tensor: Tensor) -> bool:
    dense = tensor.layout == torch.strided and tensor.device.type == "cpu" and not tensor.is_nested
    return dense and not tensor.is_quantized and not tensor.is_complex()


def _droppable(path: Path, name: str, tensor: Tensor) -> bool:
    mask = _SHIFT_MASK.match(name)
    if mask is None:
        return not is_read(name)
    cut = crosses_cut(token_coordinate("row" if mask[1] == "upper_lower" else "column"))
    expected = torch.zeros(cut.shape).masked_fill(cut, -torch.inf)
    if tensor.shape != expected.shape or not torch.equal(tensor.float(), expected):
        raise WeightsError(f"{path}: {name} is not the mask of an 8 x 8 window shifted by 4, which the network builds")
    return True


def _closest_architecture(tensors: Mapping[str, Tensor]) -> tuple[str, dict[str, torch.Size]]:
    """The architecture whose names differ least, with the name and shape of each of its tensors."""
    candidates = {name: _expected(name) for name in ARCHITECTURES}
    name = min(candidates, key=lambda candidate: len(candidates[candidate].keys() ^ tensors.keys()))
    return name, candidates[name]


@cache
def _expected(architecture: str) -> dict[str, torch.Size]:
    state = build_unfilled(architecture).state_dict()
    return {name: tensor.shape for name, tensor in state.items() if is_read(name)}


def _check_names(path: Path, architecture: str, expected: Iterable[str], found: Iterable[str]) -> None:
    missing, surplus = set(expected) - set(found), set(found) - set(expected)
    if missing or surplus:
        raise WeightsError(
            f"{path}: does not fit {ARCHITECTURES[architecture].title}, the closest architecture; "
            f"missing {len(missing)}: {_some(missing)}; surplus {len(surplus)}: {_some(surplus)}"
        )


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - _NAMES_SHOWN} more" if len(ordered) > _NAMES_SHOWN else ""
    return (", ".join(ordered[:_NAMES_SHOWN]) or "none") + more
