"""Shared fixtures: photo-like pictures, simple fields, an isolated home."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vivant.clip import Picture
from vivant.field.motion_field import MotionField, grid_for

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(autouse=True)
def _home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv("VIVANT_HOME", str(tmp_path_factory.getbasetemp() / "home"))
    return


def photo_like(width: int, height: int, seed: int = 0) -> NDArray[np.uint8]:
    """Noise at several scales with saturated patches and edges, ``[H, W, 3]``."""
    rng = np.random.default_rng(seed)
    out = np.zeros((height, width, 3), np.float32)
    for cells in (4, 16, 64):
        coarse = rng.random((cells, cells, 3), np.float32)
        out += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) / 3
    out[height // 2 :, : width // 3] = (0.9, 0.1, 0.1)
    out[: height // 4, width // 2 :] *= 0.4
    return np.clip(out * 255, 0, 255).astype(np.uint8)


def picture(width: int = 160, height: int = 96, seed: int = 0) -> Picture:
    return Picture(photo_like(width, height, seed), name="test.png", sha256="0" * 64)


def simple_field(
    width: int = 160,
    height: int = 96,
    *,
    drift: tuple[float, float] = (0.0, 0.0),
    sway: float = 0.0,
    steps: int = 16,
) -> MotionField:
    """Motion in the left half only: a drift, and a sway of 1 Hz, short sides per second."""
    h, w = grid_for(width, height)
    velocity = np.zeros((steps, 2, h, w), np.float32)
    left = np.zeros((h, w), np.float32)
    left[:, : w // 2] = 1
    t = (np.arange(steps) + 0.5) / 8
    velocity[:, 0] = (drift[0] + sway * np.cos(2 * np.pi * t))[:, None, None] * left
    velocity[:, 1] = drift[1] * left
    speed = np.linalg.norm(velocity, axis=1).mean(axis=0)
    return MotionField(velocity, np.zeros((steps, h, w), np.float32), speed, 1 - left)
