"""Databases for tests of the queue: a PostgreSQL cluster of the test's own, on loopback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HAS_POSTGRES = sys.platform != "win32" and bool(shutil.which("initdb") and shutil.which("postgres"))


def wait_for(condition: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """A PostgreSQL that can be stopped and started; it refuses to run as root."""

    def __init__(self, base: str) -> None:
        self._base, self._port = base, free_port()
        self._user = "postgres" if os.geteuid() == 0 else None
        self._server: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://vivant@127.0.0.1:{self._port}/vivant_queue"
        if self._user:
            shutil.chown(base, self._user)
        make = ["initdb", "-D", f"{base}/data", "-U", "vivant", "-A", "trust", "--no-sync"]
        quiet = subprocess.DEVNULL
        subprocess.run([*make, "-E", "UTF8"], check=True, stdout=quiet, cwd=base, user=self._user)

    def start(self) -> None:
        place = ["-D", f"{self._base}/data", "-h", "127.0.0.1", "-p", str(self._port)]
        self._server = subprocess.Popen(
            ["postgres", *place, "-k", self._base, "-F"],
            cwd=self._base, stderr=subprocess.DEVNULL, user=self._user,
        )  # fmt: skip
        wait_for(self._is_up)

    def _is_up(self) -> bool:
        import psycopg  # comes with the [serve] extra

        try:
            with psycopg.connect(self.url.rpartition("/")[0] + "/postgres"):
                return True
        except psycopg.OperationalError:  # it is starting up
            return False

    def stop(self) -> None:
        """At once: connections are cut, what was committed stays."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(20)


@contextmanager
def cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="vivant-pg-") as base:
        made = Cluster(base)
        made.start()
        try:
            yield made
        finally:
            made.stop()
