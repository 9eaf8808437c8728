"""One live worker a name: a lock that ends with its process, however that dies."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vivant.errors import UsageError

if sys.platform != "win32":
    import fcntl


@contextmanager
def claimed(folder: Path, name: str) -> Iterator[None]:
    """Hold the name of a worker of the service in ``folder``.

    Raises UsageError where a live worker has it. Where the system has no flock(2), nothing is
    held.
    """
    if sys.platform == "win32":
        yield
        return
    locks = folder / "workers"
    locks.mkdir(parents=True, exist_ok=True)
    short = hashlib.sha256(name.encode()).hexdigest()[:16]  # a name may hold anything
    handle = os.open(locks / f"{short}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"A worker {name} is at work already; give this one another --slot."
            ) from error
        yield
    finally:
        os.close(handle)
