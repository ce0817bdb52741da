"""Graphs compiled for this machine's processor, and kept in the user's cache: reading them takes half as long.

What is kept belongs to one processor, so that it is no part of an image.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..cases.atomic import fill_folder_atomically
from ..errors import InputError, WeightsError
from ..weights.manifest import WeightsFile
from .graphs import PARTS, Graphs, cache_folder, graphs_name, load_graphs
from .kept import FACTS, Facts, read_facts, write_facts
from .openvino_runtime import openvino
from .precision import PROCESSOR, Precision

_TYPES: dict[Precision, Any] = {"float32": openvino.Type.f32, "bfloat16": openvino.Type.bf16}
_NAMES = {"f32": "float32", "bf16": "bfloat16"}

logger = logging.getLogger(__name__)


class Compiled:
    """An openvino.CompiledModel ready to run. Raises InputError where it does not compute at `precision`."""

    def __init__(self, model: Any, precision: Precision) -> None:
        used = model.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self.precision: str = _NAMES.get(used, used)
        if self.precision != precision:
            raise InputError(
                f"OpenVINO computes at {self.precision} on this processor, not at {precision}; leave out --precision"
            )
        self.model = model
        self._request = model.create_infer_request()

    def run(self, *inputs: Any) -> list[Any]:
        """Outputs as tensors of their own: what a request gives is overwritten when it runs again."""
        self._request.infer(inputs, share_inputs=True, share_outputs=True)
        return [_copy(self._request.get_output_tensor(i)) for i in range(len(self._request.output_tensors))]


@dataclass(frozen=True)
class CompiledGraphs:
    """`Graphs`, compiled."""

    architecture: str
    reads_points_and_scribble: bool
    encode: Compiled
    tokens: Compiled
    decode: Compiled


def compile_graph(graph: Any, precision: Precision, threads: int) -> Compiled:
    """Compile an openvino.Model. Raises InputError where the processor cannot compute at `precision`."""
    return Compiled(openvino.Core().compile_model(graph, "CPU", _settings(precision, threads)), precision)


def compiled_graphs(weights: WeightsFile, precision: Precision, threads: int) -> CompiledGraphs:
    """A model's graphs at one precision; a frame's maps have that precision's width.

    Raises WeightsError, and InputError where the processor cannot compute at `precision`.
    """
    folder = _folder(weights, precision)
    if folder is not None and (folder / FACTS).is_file():
        try:
            return _read(folder, precision, threads)
        except (OSError, RuntimeError, WeightsError) as error:
            logger.debug("%s is damaged and made again: %s", folder, error)
            shutil.rmtree(folder, ignore_errors=True)
    compiled = _compile(load_graphs(weights), precision, threads)
    if folder is not None:
        try:
            _write(compiled, folder)
        except OSError as error:
            logger.debug("compiled graphs are not kept: %s", error)
    return compiled


def _compile(graphs: Graphs, precision: Precision, threads: int) -> CompiledGraphs:
    if precision == "bfloat16":
        graphs = _with_maps_in_bfloat16(graphs)
    # Compiling is a matter of one processor, so two graphs are compiled at a time.
    with ThreadPoolExecutor() as pool:
        parts = [
            pool.submit(compile_graph, getattr(graphs, part), _precision_of(part, precision), threads) for part in PARTS
        ]
    return CompiledGraphs(
        graphs.architecture, graphs.reads_points_and_scribble, *(compiled.result() for compiled in parts)
    )


def _read(folder: Path, precision: Precision, threads: int) -> CompiledGraphs:
    def read(part: str) -> Compiled:
        blob = openvino.Tensor(np.fromfile(folder / part, np.uint8))
        chosen = _precision_of(part, precision)
        return Compiled(openvino.Core().import_model(blob, "CPU", _settings(chosen, threads)), chosen)

    facts = read_facts(folder)
    with ThreadPoolExecutor() as pool:
        return CompiledGraphs(facts.architecture, facts.reads_points_and_scribble, *pool.map(read, PARTS))


def _write(compiled: CompiledGraphs, folder: Path) -> None:
    with fill_folder_atomically(folder) as temporary:
        for part in PARTS:
            try:
                (temporary / part).write_bytes(getattr(compiled, part).model.export_model().getbuffer())
            except RuntimeError as error:
                raise OSError(errno.EIO, str(error).partition("\n")[0]) from error
        write_facts(Facts(compiled.architecture, compiled.reads_points_and_scribble), temporary)


def _folder(weights: WeightsFile, precision: Precision) -> Path | None:
    """Where compiled graphs are kept, or None where there is no cache or the processor is not known."""
    cache, processor = cache_folder(), _processor_key()
    if cache is None or processor is None:
        return None
    return cache / f"{graphs_name(weights)}-{precision}-{processor}"


def _processor_key() -> str | None:
    """Name and abilities of the processor as a hash; None where the system does not say (not Linux)."""
    try:
        with PROCESSOR.open(encoding="utf-8") as file:
            first = file.read(1 << 14)  # the others are like the first
    except OSError:
        return None
    told = re.findall(r"^(?:vendor_id|model|model name|stepping|flags|Features|CPU \w+)\s*:.*$", first, re.MULTILINE)
    return hashlib.sha256("\n".join(sorted(set(told))).encode()).hexdigest()[:8] if told else None


def _precision_of(part: str, precision: Precision) -> Precision:
    """Coordinates must not be rounded: at bfloat16 a box would move by half a pixel."""
    return "float32" if part == "tokens" else precision


def _settings(precision: Precision, threads: int) -> dict[str, Any]:
    return {
        "INFERENCE_PRECISION_HINT": _TYPES[precision],
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        # Else several processes on one machine would all be bound to its first processors.
        "ENABLE_CPU_PINNING": False,
    }


def _copy(tensor: Any) -> Any:
    copy = openvino.Tensor(tensor.element_type, tensor.shape)
    tensor.copy_to(copy)
    return copy


def _with_maps_in_bfloat16(graphs: Graphs) -> Graphs:
    """The same graphs handing over their maps at half the width, at which they are computed anyway."""
    given = openvino.preprocess.PrePostProcessor(graphs.encode)
    taken = openvino.preprocess.PrePostProcessor(graphs.decode)
    for i in range(len(graphs.encode.outputs)):
        given.output(i).tensor().set_element_type(openvino.Type.bf16)
        taken.input(i).tensor().set_element_type(openvino.Type.bf16)
    return replace(graphs, encode=given.build(), decode=taken.build())
