"""Which engine computes, and at which precision."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ..errors import InputError
from ..weights.manifest import WeightsFile, find_weights
from .engine import Engine
from .precision import Precision, quickest_faithful_precision

EngineChoice = Literal["auto", "torch", "openvino"]
PrecisionChoice = Literal["auto", "float32", "bfloat16"]


def load_engine(
    model: str | None, file: Path | None, engine: EngineChoice, precision: PrecisionChoice, threads: int
) -> Engine:
    """A model of the manifest (None: the default), or any file of weights, ready to compute.

    engine: auto takes OpenVINO where it is installed. precision: auto takes bfloat16 on OpenVINO alone, where
    the processor has it and the manifest records that the model's masks stay the same.
    Raises WeightsError, and InputError where the engine or the precision cannot be had.
    """
    weights = find_weights(model, file)
    if engine == "torch":
        return _torch(weights, precision, threads)
    try:
        from .openvino_engine import OpenVinoEngine
    except ImportError as error:
        if engine == "auto":
            return _torch(weights, precision, threads)
        raise InputError(f"--engine openvino: {error}; install it (pip install openvino), or take torch") from error
    chosen = quickest_faithful_precision(weights.bfloat16) if precision == "auto" else precision
    return OpenVinoEngine(weights, chosen, threads)


def _torch(weights: WeightsFile, precision: PrecisionChoice, threads: int) -> Engine:
    from ..weights.load import read_weights
    from .torch_engine import TorchEngine

    chosen: Precision = "float32" if precision == "auto" else precision
    return TorchEngine(read_weights(weights), threads, chosen)
