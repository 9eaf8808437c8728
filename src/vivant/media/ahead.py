"""Frames made ahead of their reader: one thread renders while another encodes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from vivant.clip import Frame

DEPTH = 4
"""Frames that wait at most."""
_END = object()


@contextmanager
def made_ahead(frames: Iterable[Frame], depth: int = DEPTH) -> Iterator[Iterator[Frame]]:
    """The same frames in the same order, made by a thread of its own.

    What making them raises is raised where the frame would have come. Leaving early stops the
    thread after the frame it is at.
    """
    waiting: queue.Queue[object] = queue.Queue(depth)
    unwanted = threading.Event()

    def put(item: object) -> bool:
        while not unwanted.is_set():
            try:
                waiting.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for frame in frames:
                if not put(frame):
                    return
            put(_END)
        except BaseException as error:  # raised again in the reader's thread
            put(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield _taken(waiting)
    finally:
        unwanted.set()
        thread.join()


def _taken(waiting: queue.Queue[object]) -> Iterator[Frame]:
    while (item := waiting.get()) is not _END:
        if isinstance(item, BaseException):
            raise item
        yield item  # type: ignore[misc] # frames are all else that is put
