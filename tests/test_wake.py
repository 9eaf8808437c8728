from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.rendering.bodies import Body
from vivant.rendering.wake import wakes_of

H, W, FPS, COUNT = 180, 300, 12.0, 37
FAR = 60


def picture() -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.normal(0, 1, (H, W)).astype(np.float32), (0, 0), 2)
    return np.clip(110 + 8 * (noise / noise.std())[..., None] * np.ones(3), 0, 255).astype(np.uint8)


def water() -> NDArray[np.uint8]:
    plane = np.zeros((H, W), np.uint8)
    plane[FAR:] = 255
    return plane


def boat(speed: float, row: int = 130) -> Body:
    """A boat at the left that goes to the right, pixels a frame."""
    matte = np.zeros((H, W), np.float32)
    matte[row - 16 : row, 30:60] = 1
    path = np.stack([speed * np.arange(COUNT), np.zeros(COUNT)], axis=1).astype(np.float32)
    return Body(matte, path, None, (45.0, float(row)))


def drawn(one: Body, index: int, plane: NDArray[np.uint8] | None = None) -> NDArray[np.int64]:
    pixels = picture()
    below = cv2.GaussianBlur(pixels, (0, 0), 1.0)
    on = water() if plane is None else plane
    return wakes_of(pixels, below, [one], on, FPS).upon(below, index).astype(int) - below


def test_a_wake_follows_and_reaches_no_farther_than_the_boat_has_come() -> None:
    change = np.abs(drawn(boat(5.0), 30)).sum(axis=2)
    bow = 45 + 150
    assert change[:, bow - 60 : bow - 10].max() > 8
    assert not change[:, bow + 15 :].any()
    assert not change[:FAR].any()
    early = np.abs(drawn(boat(5.0), 8)).sum(axis=2)
    assert not early[:, :30].any()


def test_a_wake_opens_backwards() -> None:
    change = np.abs(drawn(boat(5.0), 34)).sum(axis=2)
    rows = [np.ptp(np.flatnonzero(change[:, c - 4 : c + 4].max(axis=1) > 4)) for c in (190, 120)]
    assert rows[1] > 1.3 * rows[0]


def test_what_stands_or_is_ashore_draws_none() -> None:
    assert not drawn(boat(0.0), 20).any()
    dry = water()
    dry[:, :150] = 0
    assert not drawn(boat(5.0), 30, dry).any()
