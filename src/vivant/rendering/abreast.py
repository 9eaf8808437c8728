"""Several frames made at a time, handed out in order: every frame is a function of its number."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from vivant.cores import cores

A, B = TypeVar("A"), TypeVar("B")
MOST = 4
"""Threads at most: each holds a frame and what it is made from."""


def abreast(make: Callable[[A], B], of: Iterable[A], threads: int = 0) -> Iterator[B]:
    """``make`` of every item, in their order. With several ``threads`` (0: one for each core that
    this process may use, four at most) ``make`` must change nothing that another call sees; items
    are taken in one thread, no more than are being made.

    What ``make`` raises is raised where its result would have come. Leaving early waits for what
    is being made.
    """
    threads = threads or min(MOST, cores())
    if threads == 1:
        yield from map(make, of)
        return
    waiting: deque[Future[B]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in of:
                waiting.append(pool.submit(make, item))
                if len(waiting) == threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
