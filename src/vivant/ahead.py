"""Work ahead: an iterator that is drawn from in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from queue import Empty, Full, Queue
from typing import Any, TypeVar

T = TypeVar("T")
DEPTH = 2
_PATIENCE = 0.05


def ahead(items: Iterable[T], depth: int = DEPTH) -> Generator[T, None, None]:
    """The same items in the same order, up to ``depth`` of them made while earlier ones are used.

    What ``items`` raises is raised here. When this generator is closed, the thread ends and
    ``items`` is closed, too.
    """
    worker = _Worker(items, depth)
    worker.start()
    try:
        while (item := worker.next()) is not None:
            yield item[0]
    finally:
        worker.stop()


class _Worker(threading.Thread):
    """Draws from ``items`` into a short queue: ``(item,)``, then an error or None at the end."""

    def __init__(self, items: Iterable[Any], depth: int) -> None:
        super().__init__(name="ahead", daemon=True)
        self._items = items
        self._ready: Queue[tuple[Any] | BaseException | None] = Queue(depth)
        self._stopped = threading.Event()

    def run(self) -> None:
        last: BaseException | None = None
        try:
            for item in self._items:
                self._put((item,))
                if self._stopped.is_set():
                    break
        except BaseException as error:  # whatever it is, it belongs to the caller
            last = error
        if hasattr(self._items, "close"):
            self._items.close()
        self._put(last)

    def _put(self, value: tuple[Any] | BaseException | None) -> None:
        while not self._stopped.is_set():
            try:
                self._ready.put(value, timeout=_PATIENCE)
                break
            except Full:
                continue

    def next(self) -> tuple[Any] | None:
        """The next item in a tuple, None at the end; raises what ``items`` raised."""
        while True:
            try:
                value = self._ready.get(timeout=1.0)  # in naps: Ctrl-C is noticed everywhere
            except Empty:
                continue
            if isinstance(value, BaseException):
                raise value
            return value

    def stop(self) -> None:
        """End the thread and what it draws from."""
        self._stopped.set()
        self.join()
