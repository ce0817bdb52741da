"""The page itself: one HTML file that holds all it shows, and asks nothing of a network."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..cases.atomic import write_atomically
from .entries import Entry
from .outlines import UNITS
from .page_tables import accuracy_by_modality, timing_by_modality
from .panels import Panel
from .recorded_run import RecordedRun

_TEMPLATES = Path(__file__).with_name("template")
_STAGES = {
    "read": "reading the case",
    "encode": "image encoder",
    "prompt": "points and scribbles",
    "decode": "mask decoder",
    "write": "writing the label map",
}


def write_page(path: Path, title: str, run: RecordedRun | None, entries: Sequence[Entry]) -> None:
    """Write the page of a run, atomically. Equal entries give equal bytes. Raises OSError."""
    page = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    page.filters["decimal"] = _decimal
    page.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    html = page.get_template("page.html").render(
        title=title,
        run=run,
        entries=entries,
        accuracy=accuracy_by_modality(entries),
        timing=timing_by_modality(entries),
        stages=_STAGES,
        places={entry.name: i for i, entry in enumerate(entries)},
        data=[_data(entry) for entry in entries],
    )
    with write_atomically(path) as file:
        file.write(html.encode("utf-8", "replace"))


def _decimal(value: float | None, places: int = 4) -> str:
    """Nothing for what is not known."""
    return "" if value is None or math.isnan(value) else f"{value:.{places}f}"


def _data(entry: Entry) -> dict[str, Any]:
    """What the page's script draws of a case. shown: the panel that stands for the case."""
    height, width = entry.size[-2:] if entry.size else (1, 1)
    unit = UNITS / max(height, width)
    labels = entry.score.labels if entry.score else ()
    return {
        "name": entry.name,
        "facts": _facts(entry),
        "volume": len(entry.size) == 3,
        "width": width * unit,
        "height": height * unit,
        "remarks": [*entry.faults, *entry.notes],
        "objects": [[s.label, _decimal(s.dsc), _decimal(s.nsd)] for s in labels],
        "shown": max(range(len(entry.panels)), key=lambda i: entry.panels[i].labelled, default=0),
        "panels": [_panel(panel) for panel in entry.panels],
    }


def _facts(entry: Entry) -> str:
    facts = [entry.modality]
    if entry.size:
        facts += [" x ".join(str(n) for n in entry.size), f"objects: {entry.objects}"]
    if score := entry.score:
        facts += [f"DSC {_decimal(score.dsc) or 'none'}", f"NSD {_decimal(score.nsd) or 'none'}"]
    if entry.recorded is not None:
        facts.append(f"{entry.recorded.seconds:.2f} s" if entry.recorded.outcome == "done" else entry.recorded.outcome)
    return " · ".join(fact.replace(" ", "\N{NO-BREAK SPACE}") for fact in facts)


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "z": panel.slice_index,
        "picture": base64.b64encode(panel.picture).decode(),
        "layers": panel.layers,
    }
