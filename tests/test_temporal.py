from __future__ import annotations

import cv2
import numpy as np
import pytest

from conftest import photo_like
from vivant.data.temporal import distance, statistics

FPS = 12.0
RNG = np.random.default_rng(0)
NOISE = cv2.resize(
    RNG.integers(0, 255, (60, 160, 3), np.uint8), (960, 360), interpolation=cv2.INTER_CUBIC
)


def moving(speed: float, count: int = 36) -> list[np.ndarray]:
    """A pattern that goes past at so many pixels a second."""
    return [NOISE[:160, round(t * speed / FPS) :][:, :240].copy() for t in range(count)]


def flickering(seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [cv2.resize(rng.integers(0, 255, (40, 60, 3), np.uint8), (240, 160)) for _ in range(36)]


def test_what_does_not_move_has_no_statistics() -> None:
    assert statistics([photo_like(240, 160)] * 36, FPS) is None
    assert statistics(moving(60, 6), FPS) is None
    assert statistics([], FPS) is None


def test_slow_patterns_stay_alike_longer_and_move_on() -> None:
    slow, fast, noise = (statistics(f, FPS) for f in (moving(12), moving(120), flickering(1)))
    assert slow is not None
    assert fast is not None
    assert noise is not None
    assert slow.shape == (17,)
    for lag in (0, 1):
        assert slow[4 + lag] > fast[4 + lag]
    assert noise[4] < 0.3
    assert slow[-1] > 0.5 > noise[-1]


def test_the_distance_tells_kinds_of_motion_apart() -> None:
    real = [statistics(moving(v), FPS) for v in (20, 24, 28, 32, 36)]
    near, far = statistics(moving(26), FPS), statistics(flickering(2), FPS)
    known = [one for one in real if one is not None]
    assert len(known) == 5
    assert near is not None
    assert far is not None
    one, other = distance([near, far], known)
    assert one < 1.6
    assert other > 3 * one
    with pytest.raises(ValueError, match="three real"):
        distance([near], known[:2])
