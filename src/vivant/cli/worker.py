"""``vivant worker``: a process that works on the queue."""

from __future__ import annotations

import signal
import socket
import threading

from vivant.errors import UsageError
from vivant.service.settings import ServiceSettings


def work(settings: ServiceSettings, slot: int, supervised: bool) -> None:
    """Work until SIGTERM or SIGINT. ``slot`` tells the workers of one machine apart; one that
    is supervised takes the first that is free.

    Raises UsageError where the extra is missing.
    """
    try:
        from vivant.service.queue.worker import leave_with_parent, run_worker
    except ImportError as error:
        raise UsageError("This needs the extra: pip install 'vivant[serve]'.") from error
    until = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: until.set())
    if supervised:
        leave_with_parent()
    run_worker(settings, socket.gethostname(), None if supervised else slot, until)
