from __future__ import annotations

import numpy as np
import pytest

from vivant.clip import VideoSpec
from vivant.controls.camera import Camera
from vivant.rendering.space.hand import DEGREES, RATES, Hand
from vivant.rendering.space.path import path_of
from vivant.rendering.space.relief import Relief, Sheet

FLAT = Relief((Sheet(np.full((64, 96), 255, np.uint8), np.full((8, 12), 0.5, np.float32)),))


def turns(seed: int, loop: float | None = None, seconds: float = 40.0) -> np.ndarray:
    hand = Hand.of(seed, loop)
    return np.array([hand.turn(t) for t in np.arange(0, seconds, 1 / 24)])


def test_a_hand_wanders_as_much_as_was_measured() -> None:
    each = np.array([turns(seed).std(axis=0) for seed in range(12)])
    wanted = np.sqrt((np.array(DEGREES) ** 2).sum(axis=1))
    np.testing.assert_allclose(np.sqrt((each**2).mean(axis=0)), wanted, rtol=0.3)
    way = np.concatenate([turns(seed)[:, 0] - turns(seed)[:, 0].mean() for seed in range(8)])
    power = np.abs(np.fft.rfft(way)) ** 2
    frequency = np.fft.rfftfreq(len(way), 1 / 24)
    octave = [power[(frequency > r / 1.4) & (frequency < r * 1.4)].sum() for r in RATES]
    assert octave[0] > octave[2] > octave[4]  # slow drift is the most of it


def test_it_comes_from_the_picture_and_closes() -> None:
    for seed in range(3):
        hand = Hand.of(seed, None)
        assert hand.turn(0.0) == pytest.approx((0, 0, 0))
        assert hand.shift(0.0) == pytest.approx((0, 0))
        np.testing.assert_allclose(Hand.of(seed, 4.0).turn(4.0), (0, 0, 0), atol=1e-4)
    assert not np.allclose(turns(1, seconds=1), turns(2, seconds=1))


def test_twice_as_unsteady_moves_twice_as_much() -> None:
    spec = VideoSpec(96, 64, 24.0, 48)
    one, two = (path_of(Camera(hand=h), spec, False, FLAT, 5).poses for h in (1.0, 2.0))
    for a, b in zip(one[1:], two[1:], strict=True):
        np.testing.assert_allclose(np.multiply(a.turn, 2), b.turn, atol=1e-9)
        np.testing.assert_allclose(np.multiply(a.position, 2), b.position, atol=1e-9)
