from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from test_layers import H, W, looked
from vivant.kinds import INDEX, KINDS
from vivant.motion.asked import Asked
from vivant.motion.choose import choose
from vivant.scene.calm import calm_sky, is_backdrop, is_night, is_plain
from vivant.scene.record import Scene

Frame = NDArray[np.uint8]
ROWS, COLUMNS = H // 4, W // 4
ALL = np.ones((ROWS, COLUMNS), np.float32)


def cloudy(level: float, amplitude: float, seed: int = 0) -> Frame:
    """A sky of soft clouds."""
    noise = np.random.default_rng(seed).normal(0, 1, (H, W)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 4)
    values = np.clip(level + amplitude * soft / soft.std(), 0, 255).astype(np.uint8)
    return np.dstack([values] * 3)


def before(kind: str, lowest: str, share: float = 0.2) -> Scene:
    """A sky with a thing of some share in it, and something in the lowest rows."""
    kinds = np.zeros((len(KINDS), ROWS, COLUMNS), np.float32)
    kinds[INDEX["sky"]] = 1
    for name, place in ((lowest, slice(-4, None)), (kind, slice(2, 2 + round(share * ROWS)))):
        kinds[:, place] = 0
        kinds[INDEX[name], place] = 1
    return replace(looked().scene, kinds=kinds)


def test_a_sky_without_a_cloud_is_plain_and_clouds_are_not() -> None:
    ramp = np.linspace(120, 200, H)[:, None, None] * np.ones((1, W, 3))
    assert is_plain(ramp.astype(np.uint8), ALL)
    assert not is_plain(cloudy(170, 12), ALL)


def test_black_and_starry_nights_are_no_weather_and_clouds_by_night_are() -> None:
    dim = cloudy(70, 8)
    stars = dim.copy()
    rng = np.random.default_rng(3)
    stars[rng.integers(0, H, 400), rng.integers(0, W, 400)] = 255
    assert is_night(stars, ALL)
    assert is_night(cloudy(25, 6), ALL)
    assert not is_night(dim, ALL)
    assert not is_night(cloudy(170, 12), ALL)


@pytest.mark.parametrize(
    ("kind", "lowest", "behind"),
    [("plant", "sky", True), ("being", "sky", True), ("vehicle", "sky", False),
     ("plant", "ground", False)],
)  # fmt: skip
def test_ground_behind_a_thing_lies_below_it_too(kind: str, lowest: str, behind: bool) -> None:
    assert is_backdrop(before(kind, lowest)) is behind


def test_a_calm_sky_holds_unless_it_is_spoken_of() -> None:
    one = looked()
    assert calm_sky(one.scene, cloudy(20, 2))
    assert not calm_sky(one.scene, cloudy(170, 12))
    calm = replace(one, calm=True)
    for asked, moves in (
        (Asked(), False),
        (Asked(overall=2.0), False),
        (Asked(strengths={"sky": 1.5}), True),
        (Asked(flows={"sky": 0.0}), True),
    ):
        assert ("sky" in {layer.kind for layer in choose(calm, asked).layers}) is moves
    assert "sky" in {layer.kind for layer in choose(one, Asked()).layers}


def test_a_mask_moves_a_calm_sky_where_it_lies_on_it() -> None:
    one = looked()
    sky = one.mattes.of("sky")
    on, beside = np.where(sky > 127, 255, 0), np.where(sky > 127, 0, 255)
    assert one.lies_on(on.astype(np.uint8), "sky")
    assert not one.lies_on(beside.astype(np.uint8), "sky")
    assert not one.lies_on(None, "sky")


def test_an_aurora_is_no_calm_sky() -> None:
    night = cloudy(25, 2)
    rows, columns = np.mgrid[0:H, 0:W]
    glow = 120 * np.exp(-(((columns - rows / 2 - W / 4) / (W / 12)) ** 2))
    night[..., 1] = np.clip(night[..., 1] + glow, 0, 255)
    scene = replace(looked().scene, kinds=before("sky", "sky").kinds)
    assert not calm_sky(scene, night)
