"""Where swinlite runs when it is timed: in its container, as in the challenge, or as a plain process."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import Literal

from ..errors import InputError

Engine = Literal["docker", "podman"]
RuntimeChoice = Literal["auto", "docker", "podman", "process"]
_ENGINES: tuple[Engine, ...] = ("docker", "podman")


@dataclass(frozen=True)
class Runtime:
    """engine: None for a plain process. why: it was chosen."""

    engine: Engine | None
    why: str


def choose_runtime(asked: RuntimeChoice, image: str) -> Runtime:
    """The engine asked for, or with auto the first that has the image, else a process. Raises InputError."""
    if asked == "process":
        return Runtime(None, "as asked")
    faults = {}
    for engine in _ENGINES if asked == "auto" else (asked,):
        fault = _fault(engine, image)
        if fault is None:
            return Runtime(engine, f"it has the image {image}")
        faults[engine] = fault
    listed = "; ".join(f"{engine}: {fault}" for engine, fault in faults.items())
    if asked == "auto":
        return Runtime(None, f"no container can be had: {listed}")
    raise InputError(f"--runtime {asked}: expected the image {image}, found {listed}; docker build -t {image} .")


def _fault(engine: Engine, image: str) -> str | None:
    """Why an engine cannot run an image, or None."""
    if shutil.which(engine) is None:
        return "not installed"
    asked = subprocess.run([engine, "image", "inspect", image], capture_output=True, text=True, check=False)
    if asked.returncode == 0:
        return None
    return (asked.stderr.strip().splitlines() or [f"exit code {asked.returncode}"])[-1]
