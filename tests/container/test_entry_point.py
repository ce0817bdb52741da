"""A container's first process gets its signals, so that it must be the program itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_challenges_command_becomes_the_program(tmp_path: Path) -> None:
    shutil.copy(ROOT / "predict.sh", tmp_path)
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$$ $*"\n')
    python.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    command = ["/bin/bash", "-c", "sh predict.sh"]
    with subprocess.Popen(command, cwd=tmp_path, env={"PATH": path}, stdout=subprocess.PIPE, text=True) as started:
        said, _ = started.communicate()
    assert said == f"{started.pid} -m app predict --input /workspace/inputs --output /workspace/outputs\n"
