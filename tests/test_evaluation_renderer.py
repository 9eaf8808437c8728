"""The renderer under true motion, in closed form."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vivant.evaluation.renderer import compare, renderer_scores
from vivant.field.motion_field import MotionField


def test_compare_by_hand() -> None:
    rng = np.random.default_rng(0)
    real = np.repeat(rng.integers(0, 200, (1, 32, 48, 3), np.uint8), 3, axis=0)
    made = real.copy()
    made[2] += 2
    scores = compare(made, real, [2])
    assert scores.psnr == pytest.approx(10 * np.log10(255**2 / 4))
    assert scores.still_psnr == 99
    assert scores.still_ssim == pytest.approx(1)
    assert scores.gain < 0
    with pytest.raises(ValueError, match="no frame"):
        compare(made, real, [])


def test_true_motion_beats_a_still_and_wrong_motion() -> None:
    rng = np.random.default_rng(2)
    wide = cv2.resize(rng.integers(0, 256, (16, 40, 3), np.uint8), (400, 128), None, 0, 0, 2)
    frames = np.stack([wide[:, 100 - k : 292 - k] for k in range(13)])
    shape = (9, 2, 16, 24)
    velocity = np.zeros(shape, np.float32)
    velocity[:, 0] = 12 / 128  # one pixel a frame to the right, 12 frames a second
    flat = np.zeros(shape[2:], np.float32)

    def scores(v: np.ndarray) -> float:
        field = MotionField(v, np.zeros_like(v[:, 0]), flat + 0.1, flat)
        return renderer_scores(frames, 12.0, field).gain

    assert scores(velocity) > 6
    assert scores(-velocity) < 1
