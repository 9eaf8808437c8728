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
from vivant.rendering.manners.manner import Ground
from vivant.rendering.manners.particles import Particles, ParticlesManner
from vivant.request import Keyframe, Request, Runtime
from vivant.scene import falling as module
from vivant.scene.falling import Falling, falling, falling_in, glowing, may_snow


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


def rained(pixels: np.ndarray, lean: float = 12.0) -> np.ndarray:
    """The same place in rain that leans to the right."""
    rng = np.random.default_rng(1)
    height, width = pixels.shape[:2]
    cover = np.zeros((height, width), np.float32)
    for _ in range(600):
        at, long = rng.uniform((0, 0), (width, height)), rng.uniform(10, 22)
        turn = np.radians(90 - lean + rng.normal(0, 1.5))
        end = at + long * np.array([np.cos(turn), np.sin(turn)])
        ends = [tuple(int(16 * v) for v in place) for place in (at, end)]
        cv2.line(cover, ends[0], ends[1], float(rng.uniform(0.4, 0.9)), 1, cv2.LINE_AA, 4)
    cover = cv2.GaussianBlur(cover, (0, 0), 0.6)[..., None]
    return np.round((0.5 * pixels + 20) * (1 - cover) + 230 * cover).astype(np.uint8)


@pytest.mark.parametrize("name", ["flower.jpg", "mountains.jpg"])
def test_it_rains_where_streaks_lean_alike_and_falls_fast(name: str) -> None:
    pixels = rained(photograph(name))
    found = falling_in(pixels)
    assert found is not None
    assert found.rains
    assert abs(found.lean - 12) < 4
    picture = Picture(pixels, name="rain.png", sha256="e3" * 32)
    layer = next(la for la in choose(look(picture, Runtime()), Asked()).layers if la.name == "snow")
    assert isinstance(layer.manner, Particles)
    assert layer.manner.of == "rain"
    assert layer.manner.speed > 1.4
    with FileAssets() as assets:
        asset = assets.add_pixels(pixels, "picture")
        said = snow_notes(Request((Keyframe(asset),)), assets)
    assert "Rain is seen to fall" in said[0]


def test_embers_beside_a_fire_rise() -> None:
    rng = np.random.default_rng(4)
    pixels = np.full((480, 640, 3), (40, 22, 20), np.uint8)
    places = rng.uniform((20, 20), (620, 330), (60, 2))
    for x, y in places:
        cv2.circle(pixels, (int(16 * x), int(16 * y)), 28, (255, 150, 40), -1, cv2.LINE_AA, 4)
    fire = np.zeros((480, 640), np.uint8)
    assert not glowing(pixels, fire)
    fire[380:, 200:440] = 255
    assert glowing(pixels, fire)
    assert not glowing(pixels[..., ::-1].copy(), fire)  # blue ones are none
    ground = Ground(pixels, np.full((480, 640), 255, np.uint8), picture=(640, 480))
    rise = Particles(speed=0.1, flutter=0.0, of="embers")
    one = ParticlesManner(ground, rise, np.random.default_rng(0))
    assert len(one.sprites) > 40
    np.testing.assert_allclose(one.at(0.0), pixels, atol=1)
    gone = one._places(1.0) - one._places(0.0)
    up = gone[np.abs(gone[:, 1]) < 300]
    assert (up[:, 1] < 0).all()
    assert np.median(-up[:, 1]) == pytest.approx(48, rel=0.4)


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
