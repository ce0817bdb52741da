"""What a command says, in lines that no name of a file can break."""

from __future__ import annotations

import click

from ..plain import plain


def say(line: str, *, err: bool = True) -> None:
    """Print a line, on stderr unless it is a result."""
    click.echo(plain(line), err=err)
