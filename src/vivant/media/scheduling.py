"""Keeping encoders in their place."""

from __future__ import annotations

import os
from pathlib import Path

_TASKS = Path("/proc/self/task")
_REAL_TIME = tuple(getattr(os, name) for name in ("SCHED_FIFO", "SCHED_RR") if hasattr(os, name))


def is_real_time() -> bool:
    """Whether this thread runs under a real-time policy; False where there is none (no Linux)."""
    return bool(_REAL_TIME) and os.sched_getscheduler(0) in _REAL_TIME


def leave_real_time() -> None:
    """Give every thread of this process the ordinary policy.

    SVT-AV1 takes real-time priority 99 for its threads and its caller wherever it may (as root,
    so in most containers), and then starves everything else on the machine. Nothing happens
    outside Linux.
    """
    if not _REAL_TIME or not _TASKS.is_dir():
        return
    for task in _TASKS.iterdir():
        try:
            if os.sched_getscheduler(int(task.name)) in _REAL_TIME:
                os.sched_setscheduler(int(task.name), os.SCHED_OTHER, os.sched_param(0))
        except OSError:  # the thread has ended, or is not ours to change
            continue
