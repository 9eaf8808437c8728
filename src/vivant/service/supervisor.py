"""Keeps a worker process alive beside the web process."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

RESTART_SECONDS = 0.5
REFUSED_SECONDS = 10.0
"""Before the next start of a worker that ended by itself: it would most likely do so again."""
LAST_SECONDS = 40.0


def supervise(command: list[str], until: threading.Event) -> None:
    """Keep a worker process running, started anew whenever it dies.

    The worker reads its standard input, which closes with this process: it never outlives us.
    """
    while not until.is_set():
        worker = subprocess.Popen([sys.executable, "-m", "vivant", *command], stdin=subprocess.PIPE)
        while worker.poll() is None and not until.wait(RESTART_SECONDS):
            pass
        if (worker.poll() or 0) > 0:
            until.wait(REFUSED_SECONDS)
        if worker.poll() is None:
            worker.send_signal(signal.SIGTERM)
            try:
                worker.wait(LAST_SECONDS)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
