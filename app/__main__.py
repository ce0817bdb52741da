"""`python -m app` is `swinlite`."""

from .cli import run

run()
