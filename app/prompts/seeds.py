"""Random numbers that depend on what they are for and on nothing else."""

from __future__ import annotations

import hashlib

import numpy as np


def prompt_generator(seed: int, case: str, label: int, slice_index: int) -> np.random.Generator:
    """The generator for one prompt.

    Seeded by all four values, so that a prompt depends on no other object, slice, file, order or worker.
    """
    key = f"{seed}\0{case}\0{label}\0{slice_index}".encode("utf-8", "surrogateescape")
    return np.random.default_rng(int.from_bytes(hashlib.sha256(key).digest()[:16], "big"))
