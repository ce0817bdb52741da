"""How many multiply-adds a network needs, and how many the machine can do in a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from app.arrays import FloatArray
from app.engines.compiled import compile_graph
from app.engines.openvino_runtime import openvino
from app.engines.precision import Precision

ROWS, NARROW, WIDE = 4096, 1024, 4096


def multiply_adds(function: Callable[[Any], Any], *shape: int) -> int:
    """Of matrix products, convolutions and attention that a function of one tensor of this shape computes."""
    counter = FlopCounterMode(display=False)
    with counter, torch.inference_mode():
        function(torch.zeros(shape))
    return int(counter.get_total_flops()) // 2


def gemm_peak(precision: Precision, threads: int) -> float:
    """Multiply-adds a second in two large matrix products by constants, as OpenVINO computes them; the best of 8."""
    generator = np.random.default_rng(0)
    x = openvino.opset13.parameter([ROWS, NARROW], np.float32)
    y: Any = x
    for shape in ((NARROW, WIDE), (WIDE, NARROW)):
        y = openvino.opset13.matmul(y, generator.standard_normal(shape, np.float32), False, False)
    graph = compile_graph(openvino.Model([y], [x]), precision, threads)
    given: FloatArray = generator.standard_normal((ROWS, NARROW), np.float32)
    return 2 * ROWS * NARROW * WIDE / best_of(8, lambda: graph.run(given))


def best_of(runs: int, function: Callable[[], object]) -> float:
    """Seconds of the quickest run: what the machine can do while nothing else disturbs it."""
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
