"""Where fuzzing keeps its files, none of which git sees."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent


def corpus_of(target: str) -> Path:
    """Inputs that reach something new, from run to run."""
    return _made(_HERE / "corpus" / target)


def crashes_of(target: str) -> Path:
    """Inputs that crash, each with what it did in a `.txt`."""
    return _made(_HERE / "crashes" / target)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
