"""What is seen decides what may move: rigid holds, solid sways, fluid travels, users win."""

from __future__ import annotations

import numpy as np
import pytest

from vivant.controls.raster import Guidance
from vivant.motion.sampler import Seen
from vivant.motion.steer import (
    calibrate,
    fluid_share,
    on_the_spot,
    steer_map,
    stiffen,
    stillness,
)
from vivant.motion.steering import FIRST

H, W = 32, 48


def seen(
    *, speed: float = 0.1, moving: float = 0.9, fluid: float = 0.0, rigid: float = 0.2
) -> Seen:
    """A picture that is the same everywhere."""
    planes = [np.full((H, W), v, np.float32) for v in (speed, moving, fluid, rigid, 0.8)]
    return Seen(*planes, features=np.zeros((H * W // 4, 1), np.float32))


def nothing_drawn() -> Guidance:
    zeros = np.zeros((H, W), np.float32)
    return Guidance(np.zeros((2, H, W), np.float32), zeros, zeros, None)


def test_solid_things_only_sway_and_fluids_travel() -> None:
    assert steer_map(seen(speed=0.3), nothing_drawn()).max() <= FIRST.sway_speed + 1e-6
    assert steer_map(seen(speed=0.3, fluid=1.0), nothing_drawn()).min() > 0.25
    drift = np.full((16, 2, H, W), 0.1, np.float32)
    assert np.abs(on_the_spot(drift, fluid_share(seen()))).max() < 1e-6
    np.testing.assert_allclose(on_the_spot(drift, fluid_share(seen(fluid=1.0))), drift)


@pytest.mark.parametrize(
    ("fluid", "most"), [(0.0, FIRST.livelier_solid), (1.0, FIRST.livelier_fluid)]
)
def test_slow_pictures_are_made_livelier_within_bounds(fluid: float, most: float) -> None:
    slow = steer_map(seen(speed=0.002, moving=1.0, fluid=fluid), nothing_drawn())
    assert slow.mean() == pytest.approx(0.002 * most, rel=0.02)
    nearly = steer_map(seen(speed=0.03, moving=1.0, fluid=fluid), nothing_drawn())
    assert nearly.mean() == pytest.approx(FIRST.lively, rel=0.02)


def test_what_hardly_moves_is_held() -> None:
    picture = seen(fluid=1.0)
    picture.speed[:, : W // 2] = 0.003
    asked = steer_map(picture, nothing_drawn())
    assert not asked[:, : W // 2].any()
    assert asked[:, W // 2 :].min() > 0.05


def test_rigid_things_hold_unless_they_are_drawn_on() -> None:
    assert stillness(seen(rigid=1.0, fluid=1.0), nothing_drawn()).min() == 1.0
    assert stillness(seen(), nothing_drawn()).max() < 0.2
    zeros, ones = np.zeros((H, W), np.float32), np.ones((H, W), np.float32)
    drawn = Guidance(np.zeros((2, H, W), np.float32), ones, zeros, None)
    assert stillness(seen(rigid=1.0), drawn).max() == 0.0
    masked = Guidance(np.zeros((2, H, W), np.float32), zeros, ones, ones)
    assert stillness(seen(), masked).min() == 1.0  # a still mask beats a move mask


def test_doubt_about_the_picture_frees_solid_things_but_not_fluids() -> None:
    assert stillness(seen(moving=0.1), nothing_drawn()).max() < 0.5
    assert stillness(seen(moving=0.1, fluid=1.0), nothing_drawn()).min() == pytest.approx(0.9)


def test_a_sample_is_scaled_to_the_speed_of_the_map() -> None:
    rng = np.random.default_rng(0)
    velocity = rng.normal(0, 0.05, (16, 2, H, W)).astype(np.float32)
    wanted = np.full((H, W), 0.1, np.float32)
    speed = np.linalg.norm(calibrate(velocity, wanted), axis=1).mean()
    assert speed == pytest.approx(0.1, rel=1e-3)


def test_solid_things_move_with_their_neighbours_and_fluids_as_sampled() -> None:
    rng = np.random.default_rng(0)
    velocity = rng.normal(0, 0.05, (16, 2, 32, 32)).astype(np.float32)
    velocity[:, 0] += 0.02
    motion_map = np.full((32, 32), 0.05, np.float32)
    solid = stiffen(velocity, np.zeros((32, 32), np.float32), motion_map)
    assert np.abs(np.diff(solid, axis=3)).mean() < 0.1 * np.abs(np.diff(velocity, axis=3)).mean()
    np.testing.assert_allclose(solid[:, 0].mean(), 0.02, atol=0.002)
    fluid = stiffen(velocity, np.ones((32, 32), np.float32), motion_map)
    np.testing.assert_allclose(fluid, velocity)


def test_what_moves_most_leads_solid_things_and_what_holds_does_not_follow() -> None:
    motion_map = np.full((32, 48), 0.1, np.float32)
    motion_map[:, 16:32], motion_map[:, 32:] = 0.05, 0.0
    velocity = np.zeros((16, 2, 32, 48), np.float32)
    velocity[:, 0, :, :16], velocity[:, 0, :, 16:] = 0.1, -0.1
    moved = stiffen(velocity, np.zeros((32, 48), np.float32), motion_map)
    assert moved[0, 0, 16, 0] > 0.08
    assert 0.003 < moved[0, 0, 16, 17] < 0.05
    assert np.abs(moved[:, :, :, 32:]).max() < 1e-6
