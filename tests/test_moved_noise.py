"""Noise that moves is still noise, and moves."""

import numpy as np

from vivant.adapters.noise import composed, moved_noise


def pan(frames: int, x: float, y: float = 0.0) -> np.ndarray:
    motion = np.zeros((frames - 1, 24, 32, 2), np.float32)
    motion[..., 0], motion[..., 1] = x, y
    return motion


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_it_stays_noise() -> None:
    shear = pan(9, 0.01)
    shear[..., 1] = np.linspace(-0.02, 0.02, 32)[None, None, :]
    noise = moved_noise(shear, (8, 48, 64), 3)
    assert noise.shape == (9, 8, 48, 64)
    for frame in noise:
        assert abs(frame.std() - 1) < 0.02
        assert abs(correlation(frame[:, :, 1:], frame[:, :, :-1])) < 0.02
        assert abs(correlation(frame[:, 1:], frame[:, :-1])) < 0.02


def test_it_moves_with_the_picture() -> None:
    noise = moved_noise(pan(5, -2 / 64), (8, 48, 64), 3)  # what is seen came from the left
    along = correlation(noise[4][:, :, 8:], noise[0][:, :, :-8])
    assert along > 0.5
    assert abs(correlation(noise[4], noise[0])) < 0.02


def test_a_seed_is_one_noise() -> None:
    again = [moved_noise(pan(3, 0.01), (4, 16, 16), seed) for seed in (1, 1, 2)]
    assert np.array_equal(again[0], again[1])
    assert not np.array_equal(again[0], again[2])


def test_motions_are_chained() -> None:
    steps = composed(pan(9, 0.01, -0.02), 4)
    assert steps.shape == (2, 24, 32, 2)
    assert np.allclose(steps[..., 0], 0.04, atol=1e-5)
    assert np.allclose(steps[..., 1], -0.08, atol=1e-5)
