"""How often a key may ask: a bucket of tokens for each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

BURST_SECONDS = 5.0
"""A key that was silent for this long may ask as often at once as it may in this time."""


class Limiter:
    """``rate`` requests a second for each name, 0 for any number; safe to share between threads.

    The count is this process's own: several web processes allow as many times more.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._most = max(1.0, rate * BURST_SECONDS)
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, name: str) -> float:
        """Count a request; 0 where it may go on, otherwise the seconds after which one may."""
        if not self._rate:
            return 0.0
        with self._lock:
            now = self._clock()
            tokens, since = self._buckets.get(name, (self._most, now))
            tokens = min(self._most, tokens + (now - since) * self._rate)
            wait = max(0.0, (1.0 - tokens) / self._rate)
            self._buckets[name] = (tokens if wait else tokens - 1.0, now)
            return wait
