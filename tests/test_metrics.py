from __future__ import annotations

import numpy as np
import pytest

from vivant.metrics import auc, centre_guess, mean_cosine, moving_and_static, moving_area_auc


def test_auc_closed_forms() -> None:
    score = np.array([0.1, 0.4, 0.35, 0.8], np.float32)
    assert auc(score, np.array([False, False, True, True])) == 0.75
    assert auc(score, np.array([True, False, True, False])) == 0.0
    assert auc(np.zeros(4, np.float32), np.array([True, False, True, False])) == 0.5
    with pytest.raises(ValueError, match="both classes"):
        auc(score, np.ones(4, bool))


def test_protocol_of_moving_and_static_cells() -> None:
    speed = np.zeros((32, 32), np.float32)
    speed[:8] = 0.2
    gradient = np.full((32, 32), 10, np.float32)
    classes = moving_and_static(speed, gradient)
    assert classes is not None
    moving, static = classes
    assert moving.sum() == 256
    assert static.sum() == 768
    assert moving_area_auc(speed, moving, static) == 1.0
    gradient[8:] = 2
    assert moving_and_static(speed, gradient) is None
    assert moving_and_static(speed * 0.01, np.full_like(gradient, 10)) is None


def test_centre_guess_peaks_in_the_middle() -> None:
    guess = centre_guess(31, 41)
    assert np.unravel_index(guess.argmax(), guess.shape) == (15, 20)


def test_mean_cosine() -> None:
    a = np.zeros((2, 4, 4), np.float32)
    a[0] = 1
    everywhere = np.ones((4, 4), bool)
    assert mean_cosine(a, 3 * a, everywhere) == pytest.approx(1)
    assert mean_cosine(a, -a, everywhere) == pytest.approx(-1)
    assert mean_cosine(a, a[::-1], everywhere) == pytest.approx(0)
