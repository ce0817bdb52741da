"""Folders in which graphs are kept: `facts.json` says what the network is and what each file must hash to."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import WeightsError
from ..weights.manifest import sha256_of

FACTS = "facts.json"


@dataclass(frozen=True)
class Facts:
    """What is to be known of a network whose graphs are kept."""

    architecture: str
    reads_points_and_scribble: bool


def write_facts(facts: Facts, folder: Path) -> None:
    """Write `facts.json` beside the files of a folder, last of all. Raises OSError, and WeightsError."""
    hashes = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
    (folder / FACTS).write_text(json.dumps(asdict(facts) | {"sha256": hashes}), encoding="utf-8")


def read_facts(folder: Path) -> Facts:
    """The facts of a folder whose files are those that were written. Raises WeightsError."""
    try:
        said = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        hashes: dict[str, str] = said.pop("sha256")
        facts = Facts(**said)
        with ThreadPoolExecutor() as pool:
            found = pool.map(lambda name: sha256_of(folder / name), hashes)
        wrong = [name for (name, expected), got in zip(hashes.items(), found, strict=True) if got != expected]
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise damaged(folder, str(error)) from error
    if wrong:
        raise damaged(folder, f"{', '.join(wrong)}: not what was written, by sha256")
    return facts


def damaged(folder: Path, reason: str) -> WeightsError:
    """What to raise for a folder that cannot be used."""
    first_line = reason.partition("\n")[0]
    advice = "delete the folder, or get the image that it came with anew"
    return WeightsError(f"{folder}: holds no whole set of graphs ({first_line}); {advice}")
