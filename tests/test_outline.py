"""Mattes for a camera that moves: soft at outlines only, whole, and together everything."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.rendering.space.outline import crisp, shared

H, W = 180, 240


def test_an_outline_keeps_its_softness() -> None:
    matte = np.zeros((H, W), np.uint8)
    matte[40:140, 60:180] = 255
    soft = cv2.GaussianBlur(matte, (0, 0), 1)
    assert np.abs(crisp(soft).astype(int) - soft).max() <= 3


def test_a_wide_doubt_is_decided() -> None:
    matte = np.zeros((H, W), np.uint8)
    matte[:, 60:120], matte[:, 120:] = 90, 255
    made = crisp(matte)
    assert made[:, 60:110].max() == 0
    assert made[:, 120:].min() == 255


def test_specks_and_small_holes_are_gone() -> None:
    matte = np.zeros((H, W), np.uint8)
    matte[:, 100:] = 255
    matte[50:52, 150:152], matte[20:22, 30:32] = 0, 255
    made = crisp(matte)
    assert made[40:60, 140:160].min() == 255
    assert made[:, :90].max() == 0
    assert crisp(np.full((H, W), 100, np.uint8)).max() == 0


def test_a_thin_mast_stays() -> None:
    matte = np.zeros((H, W), np.uint8)
    matte[20:160, 120:122] = 255
    assert np.array_equal(crisp(matte), matte)


def test_shares_sum_to_everything() -> None:
    rng = np.random.default_rng(0)
    mattes = [rng.integers(0, 256, (H, W)).astype(np.uint8) for _ in range(3)]
    for matte in mattes:
        matte[:20, :20] = 0
    mattes[0][30:40, 30:40], mattes[1][30:40, 30:40], mattes[2][30:40, 30:40] = 60, 180, 0
    even = shared(mattes)
    assert (np.sum(even, axis=0) == 255).all()
    assert even[-1][:20, :20].min() == 255
    assert (even[0][30:40, 30:40] == 64).all()
    assert (even[2][30:40, 30:40] == 0).all()
