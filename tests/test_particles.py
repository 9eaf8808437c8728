"""Snow: flakes are found, lifted off the picture, and fall one by one."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from vivant.rendering.layers import Layer, Stage
from vivant.rendering.manners.flakes import flakes_of, lifted
from vivant.rendering.manners.manner import Ground
from vivant.rendering.manners.particles import Particles, ParticlesManner

W, H = 720, 480


def behind() -> np.ndarray:
    """A dark slope, lighter to the right, with a bright wall at the left."""
    out = np.zeros((H, W, 3), np.float32)
    out += np.linspace(20, 70, W)[None, :, None]
    out[:, :80] = 250
    return out.astype(np.uint8)


def snowing(count: int = 60, *, tilt: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The slope with flakes at places ``[count, 2]`` that do not touch; drawn out where tilted."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(np.arange(8), np.arange(8)), -1).reshape(-1, 2)
    places = grid[rng.permutation(64)[:count]] * (72, 54) + rng.uniform(15, 35, (count, 2))
    places[:, 0] += 110
    cover = np.zeros((H, W), np.float32)
    way = np.array([np.sin(np.radians(tilt)), np.cos(np.radians(tilt))])
    for place in places:
        ends = [tuple(int(v * 16) for v in place + side * 7 * way) for side in (-1, 1)]
        if tilt:
            cv2.line(cover, ends[0], ends[1], 1.0, 3, cv2.LINE_AA, 4)
        else:
            cv2.circle(cover, tuple(int(v * 16) for v in place), 16 * 3, 1.0, -1, cv2.LINE_AA, 4)
    cover = 0.8 * cv2.GaussianBlur(cover, (0, 0), 0.8)[..., None]
    pixels = behind() * (1 - cover) + 255 * cover
    return np.round(pixels).astype(np.uint8), places


def manner(particles: Particles = Particles(), loop: float | None = None) -> ParticlesManner:  # noqa: B008
    pixels, _ = snowing()
    ground = Ground(pixels, np.full((H, W), 255, np.uint8), picture=(W, H), loop=loop)
    return ParticlesManner(ground, particles, np.random.default_rng(0))


def test_every_flake_is_found_where_it_is() -> None:
    pixels, places = snowing()
    flakes = flakes_of(pixels)
    assert len(flakes.size) == len(places)
    away = np.linalg.norm(flakes.place[:, None] - places[None], axis=2)
    assert away.min(axis=1).max() < 1.0
    assert len(flakes_of(behind()).size) == 0


@pytest.mark.parametrize("size", [(240, 160), (1440, 960)])
def test_at_any_size(size: tuple[int, int]) -> None:
    pixels, places = snowing()
    other = flakes_of(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    assert len(other.size) == pytest.approx(len(places), abs=2)
    assert other.of.max() == len(other.size) - 1
    assert set(np.unique(other.of)) == set(range(-1, len(other.size)))


def test_they_fall_as_they_are_drawn_out() -> None:
    for tilt in (-20.0, 20.0):
        assert flakes_of(snowing(tilt=tilt)[0]).lean == pytest.approx(tilt, abs=4)
    assert flakes_of(snowing(tilt=80.0)[0]).lean == 0.0


def test_what_is_lifted_leaves_the_slope() -> None:
    pixels, _ = snowing()
    beneath, cover, _ = lifted(pixels, flakes_of(pixels))
    inside = np.abs(beneath.astype(int) - behind())
    assert np.percentile(inside, 99.5) <= 3
    again = np.round(beneath + cover * (255.0 - beneath))
    np.testing.assert_array_equal(again.astype(np.uint8), pixels)


def test_at_the_start_it_is_the_picture_to_the_bit() -> None:
    one = manner()
    np.testing.assert_array_equal(one.at(0.0), one.texture)
    for seconds in (0.3, 2.0, 30.0):
        look = one.at(seconds)
        assert np.abs(look.astype(int) - one.texture).mean() > 0.2
        assert (look >= one.beneath).all()  # flakes are added, nothing is taken away
        assert np.abs(look[:, :78].astype(int) - one.texture[:, :78]).max() <= 5  # bright wall
        np.testing.assert_array_equal(look, manner().at(seconds))


def test_there_are_always_as_many_and_no_moment_returns() -> None:
    one = manner()
    added = [(one.at(t).astype(float) - one.beneath)[:, 120:].sum() for t in np.arange(0, 40, 1.7)]
    assert min(added) > 0.55 * added[0]
    assert max(added) < 1.6 * added[0]
    looks = [one.at(t).astype(np.float32) for t in np.arange(1, 30, 2.0)]
    apart = [np.abs(a - b).mean() for i, a in enumerate(looks) for b in looks[:i]]
    assert min(apart) > 0.5 * float(np.median(apart))


def test_a_loop_closes() -> None:
    one = manner(loop=4.0)
    assert np.abs(one.at(4.0 - 1e-5).astype(int) - one.texture).max() <= 2
    assert np.abs(one.at(2.0).astype(int) - one.texture).mean() > 0.2


def test_truth_says_where_a_flake_has_come_from() -> None:
    one = manner(Particles(lean=15.0))
    shown = one.shown(0.4)
    assert shown.where is not None
    assert not shown.exact
    look, texture = one.at(0.4).astype(float), one.texture.astype(float)
    y, x = np.nonzero(shown.where & (look.mean(2) > 150) & (np.arange(W) > 120))
    from_y = np.round(y + shown.even[y, x, 1]).astype(int)
    from_x = np.round(x + shown.even[y, x, 0]).astype(int)
    assert len(y) > 100
    assert (from_y < y).all()
    assert np.abs(texture[from_y, from_x] - look[y, x]).mean() < 25
    assert np.abs(texture[y, x] - look[y, x]).mean() > 60
    flow = one.flow(0.4)
    assert flow[..., 1].max() > 0
    assert flow[..., 1].min() >= 0
    assert flow[..., 0].sum() > 0


def test_stronger_is_faster() -> None:
    slow, fast = (manner(Particles(flutter=0).scaled(k)) for k in (0.5, 2.0))
    ways = [np.median(one._places(0.1)[:, 1] - one.place[:, 1]) for one in (slow, fast)]
    assert ways[1] == pytest.approx(4 * ways[0], rel=0.02)


def test_a_picture_without_flakes_stays() -> None:
    pixels = behind()
    ground = Ground(pixels, np.full((H, W), 255, np.uint8), picture=(W, H))
    one = ParticlesManner(ground, Particles(), np.random.default_rng(0))
    for seconds in (0.0, 1.0):
        np.testing.assert_array_equal(one.at(seconds), pixels)
    assert not one.flow(1.0).any()
    assert not one.shown(1.0).where.any()


def test_a_veil_hides_nothing_but_where_it_is_seen() -> None:
    one = manner()
    whole = slice(0, H), slice(0, W)
    veil = Layer(whole, one.ground.matte, one, veil=True)
    held = np.zeros((H, W), np.uint8)
    held[:, 300:400] = 255
    stage = Stage(one.texture, (veil,), held)
    np.testing.assert_array_equal(stage.at(0.7)[:, 300:400], one.texture[:, 300:400])
    even, _, _, exact = stage.shown(0.7)
    assert 0.9 < exact.mean() < 1
    assert not even[exact].any()
    assert replace(veil, veil=False).veil is False
