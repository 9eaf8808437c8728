from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from vivant.ahead import ahead


def test_the_same_items_in_the_same_order() -> None:
    assert list(ahead(iter(range(100)))) == list(range(100))
    assert list(ahead([])) == []


def test_items_are_made_ahead_but_not_far() -> None:
    made = []

    def items() -> Iterator[int]:
        for k in range(20):
            made.append(k)
            yield k

    drawn = ahead(items(), depth=2)
    next(drawn)
    time.sleep(0.3)
    assert 2 <= len(made) <= 4
    drawn.close()


def test_an_error_comes_where_it_happened() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    drawn = ahead(items())
    assert next(drawn) == 1
    with pytest.raises(ValueError, match="broken"):
        next(drawn)


def test_closing_ends_the_thread_and_the_source() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from range(10**9)
        finally:
            closed.set()

    drawn = ahead(items())
    assert next(drawn) == 0
    drawn.close()
    assert closed.is_set()
    assert not [t for t in threading.enumerate() if t.name == "ahead"]
