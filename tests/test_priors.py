"""The distributions that a seed draws from."""

from __future__ import annotations

import numpy as np
import pytest

from vivant.motion.draws import Draws
from vivant.motion.priors import LogNormal, Normal


def test_a_distribution_that_is_cut_off_heaps_nothing_up_at_its_limits() -> None:
    wide = LogNormal(0.05, 1.5, 0.025, 0.1)
    rng = np.random.default_rng(0)
    drawn = np.array([wide.draw(rng) for _ in range(4000)])
    assert drawn.min() >= 0.025
    assert drawn.max() <= 0.1
    assert np.median(drawn) == pytest.approx(0.05, rel=0.06)
    near = ((drawn < 0.026) | (drawn > 0.098)).mean()
    assert near < 0.06


def test_far_limits_change_nothing() -> None:
    free, loose = LogNormal(0.05, 0.3), LogNormal(0.05, 0.3, 1e-4, 10.0)
    rng = np.random.default_rng(1)
    drawn = np.array([free.draw(rng) for _ in range(4000)])
    assert np.log(drawn).std() == pytest.approx(0.3, rel=0.05)
    for seed in range(3):
        one, other = (p.draw(np.random.default_rng(seed)) for p in (free, loose))
        assert one == pytest.approx(other, rel=1e-3)


def test_what_is_certain_is_its_median() -> None:
    assert LogNormal(0.05, 0.0).draw(np.random.default_rng(0)) == 0.05
    assert LogNormal(0.5, 0.0, high=0.2).draw(np.random.default_rng(0)) == 0.2


def test_four_seeds_in_a_row_are_slow_and_fast_left_and_right() -> None:
    speeds = [LogNormal(0.05, 0.3).draw(Draws(seed, "sky")) for seed in range(4)]
    assert sum(speed < 0.05 for speed in speeds) == 2
    turns = [Normal(0.0, 30.0).draw(Draws(seed, "sky")) for seed in range(4)]
    assert sum(turn < 0 for turn in turns) == 2
    assert max(abs(turn) for turn in turns) <= 60
