"""OpenVINO without its telemetry; everything else imports it from here.

`import openvino` sends an event to a web analytics service and leaves files in the home folder, if the package
openvino_telemetry is installed, as it is by default. It takes an absent one for a no.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: importing it fails

import openvino  # noqa: E402

VERSION = openvino.get_version().partition("-")[0]

__all__ = ["VERSION", "openvino"]
