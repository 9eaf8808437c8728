"""Frames made ahead: the same, in order; errors come through; leaving early stops."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from vivant.media.ahead import made_ahead

Frame = NDArray[np.uint8]


def numbered(count: int, made: list[int]) -> Iterator[Frame]:
    for k in range(count):
        made.append(k)
        yield np.full((2, 2, 3), k, np.uint8)


def test_the_same_frames_in_order() -> None:
    with made_ahead(numbered(50, [])) as ahead:
        assert [int(frame[0, 0, 0]) for frame in ahead] == list(range(50))


def test_what_fails_is_raised_where_it_would_have_come() -> None:
    def broken() -> Iterator[Frame]:
        yield from numbered(3, [])
        raise KeyboardInterrupt

    got = []
    with pytest.raises(KeyboardInterrupt), made_ahead(broken()) as ahead:
        got.extend(int(frame[0, 0, 0]) for frame in ahead)
    assert got in ([], [0, 1, 2])  # extend keeps nothing or all, as the interpreter likes


def test_leaving_early_stops_the_thread() -> None:
    before, made = threading.active_count(), []  # type: ignore[var-annotated]
    with made_ahead(numbered(10_000, made), depth=2) as ahead:
        next(ahead)
    assert threading.active_count() == before
    assert len(made) < 10
