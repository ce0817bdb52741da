"""A process that is asked to end does so, even where Python loses the exception that says it."""

from __future__ import annotations

import subprocess
import sys

DEAF = """
import os, signal
from app.interrupts import Terminated, exit_code, heed_termination, raise_if_terminated
class Deaf:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000): pass
heed_termination()
raise_if_terminated()
Deaf()
try:
    raise_if_terminated()
except Terminated as stop:
    raise SystemExit(exit_code(stop))
"""


def test_a_signal_that_is_lost_in_a_finaliser_is_raised_later() -> None:
    done = subprocess.run([sys.executable, "-c", DEAF], stderr=subprocess.PIPE, text=True, check=False)
    assert "Exception ignored in" in done.stderr
    assert done.returncode == 143
