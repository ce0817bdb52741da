"""Segment one case part by part, and print the seconds of each as JSON; `benchmarks.profile` makes a table of it.

    python -m benchmarks.one_case STARTED CASE.npz WEIGHTS PRECISION

STARTED: seconds since the epoch when this process was asked for. Imports stand where they are timed.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.engines.openvino_engine import OpenVinoEngine
    from app.engines.precision import Precision

Parts = dict[str, list[float]]


@contextmanager
def _timed(parts: Parts, name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    parts[name].append(time.perf_counter() - start)


def main() -> None:
    """Run the parts in the order of a real run."""
    started, case, weights, precision = sys.argv[1:]
    parts: Parts = defaultdict(list)
    parts["start Python"].append(time.time() - float(started))
    for module in ("click", "numpy", "cv2", "app.engines.openvino_runtime", "app.run.batch"):
        with _timed(parts, f"import {module}"):
            import_module(module)
    engine = _load(parts, Path(weights), precision)  # type: ignore[arg-type]
    for _ in range(2):
        _segment(parts, engine, Path(case))
    json.dump(parts, sys.stdout)


def _load(parts: Parts, file: Path, precision: Precision) -> OpenVinoEngine:
    from app.engines.openvino_engine import OpenVinoEngine
    from app.threads import available_threads
    from app.weights.manifest import find_weights

    with _timed(parts, "hash the weights"):
        weights = find_weights(file=file)
    with _timed(parts, "read the compiled graphs"):
        return OpenVinoEngine(weights, precision, available_threads())


def _segment(parts: Parts, engine: OpenVinoEngine, path: Path) -> None:
    from app.cases.challenge import read_case, write_segmentation
    from app.segment.clock import StageClock
    from app.segment.segmenter import Segmenter

    clock = StageClock()
    with _timed(parts, "read the case"):
        case = read_case(path)
    start = time.perf_counter()
    labels = Segmenter(engine).segment_case(case, clock)
    seconds = time.perf_counter() - start
    parts["encode"].append(clock.seconds["encode"])
    parts["draw prompts"].append(clock.seconds["prompt"])
    parts["decode, enlarge masks"].append(clock.seconds["decode"])
    parts["paint masks, boxes for the next slice"].append(seconds - clock.seconds.total())
    with _timed(parts, "write the label map"):
        write_segmentation(path.with_name("labels.npz"), labels)
    parts["encode, one frame"].append(clock.seconds["encode"] / clock.entries["encode"])


if __name__ == "__main__":
    main()
