"""The web process stays light: it imports nothing that computes."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("dbos", reason="needs the [serve] extra")

HEAVY = (
    "torch",
    "onnxruntime",
    "vivant.motion",
    "vivant.rendering",
    "vivant.registry",
    "vivant.job",
    "c2pa",
)


def test_importing_the_web_process_loads_no_model() -> None:
    code = (
        "import sys, vivant.cli.serve, vivant.service.api, vivant.service.supervisor\n"
        "print('\\n'.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "vivant.service.api" in loaded
    heavy = [
        name for name in HEAVY if any(one == name or one.startswith(f"{name}.") for one in loaded)
    ]
    assert heavy == []
