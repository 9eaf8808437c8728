"""Frames made several at a time come in order, and are the same."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from test_performance import performance
from vivant.controls.camera import Camera, parse_camera
from vivant.controls.drawn import Drawn
from vivant.rendering import abreast as module
from vivant.rendering.abreast import abreast


def test_results_come_in_order_though_they_are_made_at_once() -> None:
    both = threading.Barrier(2, timeout=10)

    def slow(number: int) -> int:
        both.wait()  # passes only where two are made at a time
        time.sleep(0.02 * (number % 2 == 0))
        return number * number

    assert list(abreast(slow, range(6), threads=2)) == [0, 1, 4, 9, 16, 25]
    assert list(abreast(lambda x: -x, [3, 1], threads=1)) == [-3, -1]
    assert list(abreast(slow, [], threads=3)) == []


def test_a_failure_comes_at_its_place_and_ends_it() -> None:
    made = []

    def fails(number: int) -> int:
        made.append(number)
        if number == 2:
            raise ValueError("two")
        return number

    results = abreast(fails, range(1000), threads=2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)
    assert len(made) < 6


def test_what_nobody_takes_is_not_made() -> None:
    made = []
    results = abreast(made.append, range(1000), threads=2)
    next(results)
    results.close()
    assert len(made) <= 2


def test_items_are_taken_no_faster_than_they_are_made() -> None:
    taken = []
    results = abreast(lambda x: x, (taken.append(k) or k for k in range(50)), threads=3)
    assert next(results) == 0
    assert len(taken) == 3
    results.close()


@pytest.mark.parametrize("camera", [Camera(), parse_camera("truck-right 4%")])
def test_frames_are_the_same_by_any_number_of_threads(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "cores", lambda: 1)
    alone = list(performance(Drawn(camera=camera), seed=3).frames())
    monkeypatch.setattr(module, "cores", lambda: 4)
    together = list(performance(Drawn(camera=camera), seed=3).frames())
    assert len(alone) == len(together) == 8
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a, b)
