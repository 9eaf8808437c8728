"""Random numbers of consecutive seeds: evenly spread, each as random as ever."""

from __future__ import annotations

import numpy as np

from vivant.motion.draws import BLOCK, Draws


def test_eight_seeds_in_a_row_draw_from_eight_eighths_and_four_from_four_quarters() -> None:
    for block in range(5):
        for name in ("sky", "water 0"):
            row = [Draws(BLOCK * block + k, name).random() for k in range(BLOCK)]
            assert sorted(int(8 * value) for value in row) == list(range(8))
            for half in (row[:4], row[4:]):
                assert sorted(int(4 * value) for value in half) == list(range(4))


def test_numbers_are_uniform_and_independent_of_one_another() -> None:
    draws = [Draws(seed, "sky") for seed in range(4000)]
    one, two = (np.array([d.random() for d in draws]) for _ in range(2))
    other = np.array([Draws(seed, "sea").random() for seed in range(4000)])
    assert abs(one.mean() - 0.5) < 0.01
    assert abs(one.var() - 1 / 12) < 0.003
    for pair in ((one, two), (one, other)):
        assert abs(np.corrcoef(*pair)[0, 1]) < 0.05
    normal = np.array([Draws(seed, "x").standard_normal() for seed in range(4000)])
    assert abs(normal.mean()) < 0.02
    assert abs(normal.std() - 1) < 0.02


def test_the_same_seed_draws_the_same_however_large_it_is() -> None:
    assert Draws(7, "sky").random() == Draws(7, "sky").random()
    assert Draws(2**63 + 5, "sky").random() != Draws(2**63 + 6, "sky").random()
