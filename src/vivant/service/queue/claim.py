"""One live worker a name: a lock that ends with its process, however that dies."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from vivant.files import Locked, locked, system_name

MOST = 256
"""Workers of one machine."""


@contextmanager
def claimed_slot(folder: Path, host: str, slot: int | None) -> Iterator[str]:
    """Hold the name of a worker of the machine ``host``, with the first free slot where ``slot``
    is None. Raises Locked where a live worker has it. Gives the place that is held, "" where the
    system has no locks."""
    with ExitStack() as stack:
        for number in range(MOST) if slot is None else (slot,):
            try:
                stack.enter_context(claimed(folder, f"{host}-{number}"))
            except Locked:
                if number == slot or number == MOST - 1:
                    raise
                continue
            held = f"{host}-{number} {system_name()} {folder.resolve()}"
            yield "" if sys.platform == "win32" else held
            return


@contextmanager
def claimed(folder: Path, name: str) -> Iterator[None]:
    """Hold the name of a worker of the service in ``folder``.

    Raises Locked where a live worker has it. Where the system has no flock(2), nothing is held.
    """
    locks = folder / "workers"
    locks.mkdir(parents=True, exist_ok=True)
    short = hashlib.sha256(name.encode()).hexdigest()[:16]  # a name may hold anything
    refusal = f"A worker {name} is at work already; give this one another --slot."
    with locked(locks / f"{short}.lock", refusal):
        yield
