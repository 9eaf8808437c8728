"""What stands before the sky is none of it; clouds and a paling horizon stay sky."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats
from vivant.scene.skyline import before_sky, given

H, W = 240, 360
GROUND = 170


def _sky() -> Floats:
    """A sky ``[H, W, 3]`` that pales downwards, with soft clouds, above dark ground."""
    rng = np.random.default_rng(3)
    down = np.linspace(0, 1, H, dtype=np.float32)[:, None, None]
    sky = (1 - down) * (0.35, 0.55, 0.85) + down * (0.8, 0.85, 0.9)
    clouds = cv2.GaussianBlur(rng.normal(size=(H, W)).astype(np.float32), (0, 0), 8)
    sky = sky + (clouds / np.abs(clouds).max() * 0.06)[..., None]
    sky[GROUND:] = (0.2, 0.25, 0.15)
    return np.asarray(sky, np.float32)


def _alpha() -> Floats:
    """What a network says that misses everything thin: sky down to the ground."""
    alpha = np.ones((H, W), np.float32)
    alpha[GROUND:] = 0
    return alpha


def test_a_mast_on_the_ground_is_no_sky() -> None:
    work = _sky()
    work[135:GROUND, 178:182] = (0.25, 0.2, 0.2)
    clear = before_sky(work, _alpha())
    assert clear[140:GROUND, 179:181].max() < 0.1
    assert clear[:GROUND, :170].mean() > 0.97
    assert clear[:GROUND, 190:].mean() > 0.97


def test_what_hangs_in_the_air_alone_stays() -> None:
    work = _sky()
    work[50:54, 60:66] = (0.1, 0.1, 0.1)
    clear = before_sky(work, _alpha())
    assert clear[50:54, 60:66].min() > 0.9


def test_a_sky_alone_is_left_as_it_is() -> None:
    work = _sky()
    clear = before_sky(work, _alpha())
    assert (_alpha() - clear)[:GROUND].mean() < 0.02
    whole = np.ones((H, W), np.float32)
    assert before_sky(work, whole) is whole


def test_what_is_lost_goes_to_the_nearest_kind() -> None:
    sky = _alpha()
    left, right = np.zeros_like(sky), np.zeros_like(sky)
    left[GROUND:, : W // 2], right[GROUND:, W // 2 :] = 1, 1
    lost = np.zeros_like(sky)
    lost[140:GROUND, 20:24], lost[140:GROUND, 300:304] = 0.8, 0.5
    one, other = given([left, right], sky, lost)
    assert np.allclose(one[140:GROUND, 20:24], 0.8)
    assert np.allclose(other[140:GROUND, 300:304], 0.5)
    assert one[:GROUND, W // 2 :].max() == 0
    assert other[:GROUND, : W // 2].max() == 0
    assert given([], sky, lost) == []
