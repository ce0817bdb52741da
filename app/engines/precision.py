"""At which precision a network computes: never left to an engine's own choice, which differs between processors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from ..weights.manifest import Agreement

Precision = Literal["float32", "bfloat16"]

PROCESSOR = Path("/proc/cpuinfo")
_NATIVE = {"avx512_bf16", "amx_bf16", "bf16"}  # x86 and, the last, ARM


def quickest_faithful_precision(agreement: Agreement | None) -> Precision:
    """bfloat16 where the processor has it and the model's masks are known to stay the same, else float32."""
    return "bfloat16" if agreement is not None and agreement.close and has_bfloat16() else "float32"


def has_bfloat16(processor: Path = PROCESSOR) -> bool:
    """Whether this processor multiplies in bfloat16; false where the system does not say (not Linux)."""
    try:
        text = processor.read_text(encoding="utf-8")
    except OSError:
        return False
    flags = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
    return flags is not None and not _NATIVE.isdisjoint(flags[1].split())
