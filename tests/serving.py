"""A service in a process of its own, for tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx

PATIENCE = 120.0
"""Seconds; two cores that many share were seen to take 40 for the start."""


@dataclass
class Served:
    url: str
    folder: Path
    process: subprocess.Popen[bytes]

    def client(self, **options: Any) -> Any:
        return httpx.Client(base_url=self.url, timeout=20, trust_env=False, **options)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(base: Path, *options: str) -> Iterator[Served]:
    port = free_port()
    command = ["serve", "--folder", str(base / "data"), "--port", str(port), *options]
    environment = {**os.environ, "VIVANT_HOME": str(base / "home")}
    process = subprocess.Popen([sys.executable, "-m", "vivant", *command], env=environment)
    served = Served(f"http://127.0.0.1:{port}", base / "data", process)
    try:
        with served.client() as client:
            wait_for(lambda: process.poll() is not None or is_up(client))
        yield served
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        finally:
            process.kill()
            process.wait()


def is_up(client: Any) -> bool:
    try:
        return bool(client.get("/health").status_code == 200)
    except httpx.TransportError:
        return False


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)
