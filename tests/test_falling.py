"""It snows where flakes fall all over a picture, and nowhere else; then they fall one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from conftest import EXAMPLES
from vivant.clip import Picture
from vivant.controls.camera import Camera
from vivant.controls.strength import Strength
from vivant.media.assets import FileAssets
from vivant.motion.asked import Asked
from vivant.motion.breath import quiet_notes
from vivant.motion.choose import choose
from vivant.motion.held import Looked, look
from vivant.motion.snow import snow_notes
from vivant.motion.stage import staged
from vivant.rendering.manners.particles import Particles
from vivant.request import Keyframe, Request, Runtime
from vivant.scene import falling as module
from vivant.scene.falling import Falling, falling, falling_in, may_snow


def photograph(name: str) -> np.ndarray:
    pixels = np.asarray(Image.open(EXAMPLES / name).convert("RGB"))
    scale = 480 / min(pixels.shape[:2])
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def snowed(pixels: np.ndarray, count: int = 900, seed: int = 0) -> np.ndarray:
    """A dim evening of the same place, with flakes of many sizes."""
    rng = np.random.default_rng(seed)
    height, width = pixels.shape[:2]
    cover = np.zeros((height, width), np.float32)
    for _ in range(count):
        at = (int(rng.uniform(0, 16 * width)), int(rng.uniform(0, 16 * height)))
        radius = int(16 * 1.3 * np.exp(rng.normal(0, 0.4)))
        cv2.circle(cover, at, radius, float(rng.uniform(0.4, 1)), -1, cv2.LINE_AA, 4)
    cover = cv2.GaussianBlur(cover, (0, 0), 0.7)[..., None]
    dim = 0.5 * pixels + 20
    return np.round(dim * (1 - cover) + 250 * cover).astype(np.uint8)


@pytest.mark.parametrize(
    "name", ["china.jpg", "flower.jpg", "lake.jpg", "mountains.jpg", "stream.jpg"]
)
def test_it_does_not_snow_in_photographs_without(name: str) -> None:
    assert falling_in(photograph(name)) is None


@pytest.mark.parametrize("name", ["china.jpg", "lake.jpg"])
def test_it_snows_where_flakes_fall(name: str) -> None:
    found = falling_in(snowed(photograph(name)))
    assert found is not None
    assert found.chance > 0.5
    assert found.flakes > 200


def test_a_few_specks_are_no_snow() -> None:
    assert falling_in(snowed(photograph("lake.jpg"), 20)) is None
    assert not may_snow(snowed(np.full((480, 720, 3), 90, np.uint8), 20))
    assert not may_snow(np.full((300, 500, 3), 90, np.uint8))


def test_it_is_asked_once_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(module, "falling_in", lambda pixels: asked.append(1))
    one = Picture(photograph("lake.jpg"), name="a", sha256="a1" * 32)
    for _ in range(3):
        assert falling(one) is None
    assert len(asked) == 1
    falling(Picture(one.pixels, name="a", sha256=""))
    assert len(asked) == 2


@pytest.fixture(scope="module")
def winter() -> tuple[np.ndarray, Looked]:
    pixels = snowed(photograph("lake.jpg"))
    return pixels, look(Picture(pixels, name="w", sha256="a2" * 32), Runtime())


def test_snow_goes_with_the_sky(winter: tuple[np.ndarray, Looked]) -> None:
    looked = winter[1]
    assert isinstance(looked.falling, Falling)

    def snow(**asked: object) -> Particles | None:
        layers = choose(looked, Asked(seed=3, **asked)).layers
        return next((one.manner for one in layers if one.name == "snow"), None)

    plain, strong = snow(), snow(strengths={"sky": 2.0})
    assert plain is not None
    assert strong is not None
    assert strong.speed == pytest.approx(2 * plain.speed)
    assert snow(strengths={"sky": 0.0}) is None
    left, right = snow(wind=180.0), snow(wind=0.0)
    assert left is not None
    assert right is not None
    assert left.lean == pytest.approx(-30)
    assert right.lean == pytest.approx(30)


def test_nothing_else_takes_flakes_along(winter: tuple[np.ndarray, Looked]) -> None:
    pixels, looked = winter
    stage = staged(pixels, choose(looked, Asked()), looked)
    *others, veil = stage.layers
    assert veil.veil
    assert not any(layer.veil for layer in others)
    np.testing.assert_array_equal(stage.at(0.0), pixels)
    bright = [(layer.manner.texture.max(axis=2) > 235).mean() for layer in others]
    assert max(bright) < 0.25 * (pixels.max(axis=2) > 235).mean() + 0.01


def test_where_it_snows_it_is_said(tmp_path: Path) -> None:
    grey = np.full((480, 720, 3), 100, np.uint8)
    Image.fromarray(snowed(grey)).save(tmp_path / "snow.png")
    Image.fromarray(grey).save(tmp_path / "grey.png")
    with FileAssets() as assets:
        for name, snowing in (("snow.png", 1), ("grey.png", 0)):
            asset = assets.add(tmp_path / name, "picture")
            request = Request((Keyframe(asset),), (Camera(),))
            assert len(snow_notes(request, assets)) == snowing
            assert not snowing or quiet_notes(request, assets, Runtime()) == []
            still = replace(request, controls=(Strength(0.0, "sky"),))
            assert snow_notes(still, assets) == []
