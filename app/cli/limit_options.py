"""Options that say how large a case may be, for every command that reads cases of any kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from ..cases.limits import DEFAULT_LIMITS, Limits, size_in_words

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([kmgt]?|[kmg]i)b?", re.IGNORECASE)
_COUNT = click.IntRange(min=1)


class ByteSize(click.ParamType):
    """A number of bytes, as in 8GB, 500M, 1.5 GiB or 1000000: k, M, G and T are powers of 1000, Ki, Mi, Gi of 1024."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes of what was typed."""
        if isinstance(value, int):
            return value
        found = _SIZE.fullmatch(value)
        size = int(float(found[1]) * _UNITS[found[2].lower()]) if found else 0
        if size < 1:
            self.fail(f"{value!r}: expected a size such as 8GB, 500M or 1000000", param, ctx)
        return size


_OPTIONS = (
    click.option(
        "--max-decompressed",
        "decompressed",
        type=ByteSize(),
        default=DEFAULT_LIMITS.decompressed,
        show_default=size_in_words(DEFAULT_LIMITS.decompressed),
        metavar="SIZE",
        help="Refuse files that are larger than this, or whose arrays are, decompressed.",
    ),
    click.option(
        "--max-side",
        "side",
        type=_COUNT,
        default=DEFAULT_LIMITS.side,
        show_default=True,
        metavar="N",
        help="Refuse images with more pixels or voxels along a side.",
    ),
    click.option(
        "--max-slices",
        "slices",
        type=_COUNT,
        default=DEFAULT_LIMITS.slices,
        show_default=True,
        metavar="N",
        help="Refuse volumes with more slices.",
    ),
    click.option(
        "--max-objects",
        "objects",
        type=_COUNT,
        default=DEFAULT_LIMITS.objects,
        show_default=True,
        metavar="N",
        help="Refuse cases with more boxes.",
    ),
)


def limit_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options to a command, which gets them as `limits`."""

    @wraps(command)
    def with_limits(decompressed: int, side: int, slices: int, objects: int, **others: Any) -> int:
        return command(limits=Limits(decompressed, side, slices, objects), **others)

    whole: Callable[..., int] = with_limits
    for option in reversed(_OPTIONS):
        whole = option(whole)
    return whole
