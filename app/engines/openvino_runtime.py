"""OpenVINO without its telemetry and its converter; everything else imports it from here.

`import openvino` sends an event to a web analytics service and leaves files in the home folder, if the package
openvino_telemetry is installed, as it is by default. It takes an absent one for a no.
The converter, which `export.py` does without, is a third of the import; it too may be absent.
"""

from __future__ import annotations

import sys

for _absent in ("openvino_telemetry", "openvino.tools.ovc"):
    sys.modules.setdefault(_absent, None)  # type: ignore[arg-type]  # None: importing it fails

import openvino  # noqa: E402

VERSION = openvino.get_version().partition("-")[0]

__all__ = ["VERSION", "openvino"]
