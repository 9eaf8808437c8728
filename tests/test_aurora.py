from __future__ import annotations

import numpy as np

from vivant.clip import Frame
from vivant.scene.aurora import aurora_in
from vivant.scene.mattes import Mattes
from vivant.scene.righted import righted

H, W = 120, 160
SKY = np.where(np.arange(H)[:, None] < 90, 255, 0).astype(np.uint8) * np.ones((1, W), np.uint8)


def night(glow: tuple[int, int, int]) -> Frame:
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    curtain = np.exp(-(((y - 40 - 12 * np.sin(x / 25)) / 12) ** 2))[..., None]
    return np.clip(np.array((16, 22, 44)) + curtain * np.array(glow), 0, 255).astype(np.uint8)


def test_green_light_in_a_night_sky_is_an_aurora() -> None:
    assert aurora_in(night((30, 150, 80)), SKY)


def test_dusk_town_lights_day_and_plants_are_none() -> None:
    assert not aurora_in(night((150, 110, 60)), SKY)
    assert not aurora_in(night((40, 60, 160)), SKY)
    assert not aurora_in(np.full((H, W, 3), (120, 190, 160), np.uint8), SKY)
    assert not aurora_in(night((30, 150, 80)), np.zeros((H, W), np.uint8))


def test_what_is_above_the_sky_is_no_water() -> None:
    water, sky = np.zeros((2, H, W), np.uint8)
    water[:50] = water[90:] = 255
    sky[50:80] = 255
    dusk = np.full((H, W, 3), 90, np.uint8)
    found = righted(Mattes({"water": water, "sky": sky}, (W, H)), dusk)
    assert (found.of("sky")[:80] == 255).all()
    assert not found.of("water")[:80].any()
    assert (found.of("water")[90:] == 255).all()
    above = Mattes({"water": np.full((H, W), 255, np.uint8)}, (W, H))
    assert righted(above, dusk) is above  # a sea from above
    assert righted(above, night((30, 150, 80))).of("sky").all()
