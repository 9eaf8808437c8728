from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.rendering.space.mixed import mixed_at

H, W = 240, 320
DARK, SKY = np.float32((60, 45, 40)), np.float32((170, 190, 215))
Bools = NDArray[np.bool_]


def disc(radius: float) -> NDArray[np.float32]:
    y, x = np.mgrid[0:H, 0:W]
    return np.float32(np.hypot(x - 160, y - 120) < radius)


def edges_of(cover: NDArray[np.float32], wide: int = 3) -> Bools:
    kernel = np.ones((2 * wide + 1,) * 2, np.uint8)
    return (cv2.dilate(cover, kernel) - cv2.erode(cover, kernel)) > 0


def over(alpha: NDArray[np.float32], behind: NDArray[np.float32]) -> NDArray[np.uint8]:
    share = alpha[..., None]
    return np.round(behind * (1 - share) + DARK * share).astype(np.uint8)


def ring(inner: float, outer: float) -> Bools:
    return (disc(outer) > 0) & (disc(inner) == 0)


def test_a_blurred_outline_is_mixed_and_what_lies_beyond_is_not() -> None:
    blurred = cv2.GaussianBlur(disc(60), (0, 0), 2)
    cover = disc(58)
    picture = over(blurred, np.full((H, W, 3), SKY))
    found = mixed_at(picture, cover, edges_of(cover))
    assert found[ring(58, 62)].mean() > 0.9
    assert not found[disc(70) == 0].any()
    assert not found[disc(56) > 0].any()


def test_a_sharp_outline_and_rough_skies_are_left_alone() -> None:
    cover = disc(60)
    plain = np.full((H, W, 3), SKY)
    assert mixed_at(over(cover, plain), cover, edges_of(cover)).mean() < 0.002
    rng = np.random.default_rng(0)
    rough = plain + cv2.GaussianBlur(rng.normal(0, 60, (H, W, 3)).astype(np.float32), (0, 0), 1.5)
    rough = np.clip(rough, 0, 255)
    assert mixed_at(over(cover, rough), cover, edges_of(cover))[ring(62, 68)].mean() < 0.05


def test_another_thing_beside_the_outline_is_far() -> None:
    cover = disc(60)
    behind = np.full((H, W, 3), SKY)
    behind[100:140, 215:] = (40, 160, 60)  # a green thing that goes on behind the disc
    found = mixed_at(over(cover, behind), cover, edges_of(cover))
    assert not found[100:140, 222:].any()


def test_without_a_jump_of_depth_nothing_is_mixed() -> None:
    blurred = cv2.GaussianBlur(disc(60), (0, 0), 2)
    picture = over(blurred, np.full((H, W, 3), SKY))
    assert not mixed_at(picture, disc(58), np.zeros((H, W), bool)).any()
