"""ONNX Runtime, silenced: every import of it goes through here.

    from vivant.inference import onnxruntime

From version 1.32 on the library keeps a device id and an event store in the user's home, and
looks up a telemetry host, as soon as it is imported. The variable stops that before it begins,
for this process and its children; the call is for versions that do not know the variable.
"""

from __future__ import annotations

import os

SWITCH = "ORT_DISABLE_TELEMETRY"

os.environ[SWITCH] = "1"

import onnxruntime  # noqa: E402

onnxruntime.disable_telemetry_events()

__all__ = ["SWITCH", "onnxruntime"]
