"""How a run went: its losses as a table and as a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ..arrays import DoubleArray
from ..cases.atomic import write_atomically

CURVE = "curve.csv"
PICTURE = "curve.png"
_POINTS = 100  # that a smoothed curve has at most

Row = Mapping[str, float]


def write_curve(folder: Path, rows: Sequence[Row]) -> None:
    """Write `curve.csv`, a row a step, and where matplotlib is installed `curve.png`. Raises OSError."""
    table = io.StringIO()
    writer = csv.DictWriter(table, rows[0].keys() if rows else ["step"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with write_atomically(folder / CURVE) as file:
        file.write(table.getvalue().encode())
    if rows and find_spec("matplotlib"):
        with write_atomically(folder / PICTURE) as file:
            file.write(_drawn(rows))


def _drawn(rows: Sequence[Row]) -> bytes:
    """PNG with one panel a column, each as means over about a hundredth of the run."""
    from matplotlib.figure import Figure

    names = [name for name in rows[0] if name != "step"]
    figure = Figure(figsize=(3.2 * len(names), 2.6), layout="constrained")
    steps = _means([row["step"] for row in rows])
    for panel, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        panel.plot(steps, _means([row[name] for row in rows]), color="#1f6f8b")
        panel.set(title=name, xlabel="step")
        panel.grid(alpha=0.3)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    return content.getvalue()


def _means(values: Sequence[float]) -> DoubleArray:
    parts = np.array_split(np.asarray(values), min(_POINTS, len(values)))
    return np.array([part.mean() for part in parts])
