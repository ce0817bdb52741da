"""A model's OpenVINO graphs: made from its weights once, then read from a folder without torch.

Graphs are looked for in the weights folder (`graphs`, where the container has them) and in the user's cache.
The folder's name tells them by the hash of the weights, the version of the export and the version of OpenVINO.
"""

from __future__ import annotations

import errno
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cases.atomic import fill_folder_atomically
from ..errors import WeightsError
from ..weights.manifest import WeightsFile, weights_folder
from .kept import FACTS, Facts, damaged, read_facts, write_facts
from .openvino_runtime import VERSION, openvino

EXPORT_VERSION = 3  # to be raised whenever `export.py` or the networks give other graphs, or `kept.py` other facts
PARTS = ("encode", "tokens", "decode")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Graphs:
    """Three openvino.Model, float32.

    encode: frame (1, 3, 256, 256) to the maps that decoding reads of it, (1, ...) each.
    tokens: boxes (N, 4) and, if the model reads them, points (N, 4, 2) to tokens (N, T, 256).
    decode: the maps, tokens (N, T, 256), pixels (N, P) int32 and, if the model reads them, scribbles
    (N, 256, 256) to logits (N, P, 16) of those pixels and IoU (N).
    """

    architecture: str
    reads_points_and_scribble: bool
    encode: Any
    tokens: Any
    decode: Any


def load_graphs(weights: WeightsFile) -> Graphs:
    """The graphs of these weights: found, or made now and kept for the next time where that is possible.

    Raises WeightsError where there are none and torch, which makes them, is not installed.
    """
    name = graphs_name(weights)
    cache = cache_folder()
    for folder in (shipped_folder(), cache):
        if folder is not None and (folder / name / FACTS).is_file():
            return _read(folder / name)
    graphs = make_graphs(weights)
    if cache is not None:
        try:
            write_graphs(graphs, cache / name)
        except OSError as error:
            logger.debug("graphs are not kept: %s", error)
    return graphs


def make_graphs(weights: WeightsFile) -> Graphs:
    """The graphs of these weights, traced now, which takes seconds. Raises WeightsError."""
    try:
        from ..weights.load import read_weights
        from .export import export_graphs
    except ModuleNotFoundError as error:
        raise WeightsError(
            f"{weights.path}: has no OpenVINO graphs {graphs_name(weights)} in {shipped_folder()} or {cache_folder()}, "
            f"and making them needs {error.name}, which is not installed; install it, or copy that folder from where "
            "it is"
        ) from error
    return export_graphs(read_weights(weights))


def write_graphs(graphs: Graphs, folder: Path) -> None:
    """Write a folder of graphs that appears whole or not at all. Raises OSError."""
    with fill_folder_atomically(folder) as temporary:
        for part in PARTS:
            try:
                openvino.save_model(getattr(graphs, part), temporary / f"{part}.xml", compress_to_fp16=False)
            except RuntimeError as error:  # OpenVINO's word for a file that cannot be written
                raise OSError(errno.EIO, str(error).partition("\n")[0]) from error
        write_facts(Facts(graphs.architecture, graphs.reads_points_and_scribble), temporary)


def graphs_name(weights: WeightsFile) -> str:
    """Name of the folder of these weights' graphs."""
    return f"{weights.fingerprint[:16]}-{EXPORT_VERSION}-{VERSION}"


def kept_folders(weights: WeightsFile) -> list[Path]:
    """Folders that hold graphs of these weights, as they were made or compiled."""
    places = (place for place in (shipped_folder(), cache_folder()) if place is not None)
    return [facts.parent for place in places for facts in sorted(place.glob(f"{graphs_name(weights)}*/{FACTS}"))]


def shipped_folder() -> Path:
    """Where graphs lie that come with the weights."""
    return weights_folder() / "graphs"


def cache_folder() -> Path | None:
    """Where graphs are kept for the next run: SWINLITE_CACHE (empty: nowhere), or the user's cache if there is one."""
    chosen = os.environ.get("SWINLITE_CACHE")
    if chosen is not None:
        return Path(chosen) if chosen else None
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "swinlite"
    except RuntimeError:  # a user without a home
        return None


def _read(folder: Path) -> Graphs:
    core = openvino.Core()
    facts = read_facts(folder)
    try:
        parts = [core.read_model(folder / f"{part}.xml") for part in PARTS]
    except RuntimeError as error:
        raise damaged(folder, str(error)) from error
    return Graphs(facts.architecture, facts.reads_points_and_scribble, *parts)
