from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import simple_field
from vivant.field import operations as ops
from vivant.field.motion_field import MotionField, grid_for, speed


def random_field(seed: int, steps: int = 16, grid: tuple[int, int] = (32, 40)) -> MotionField:
    rng = np.random.default_rng(seed)
    v = rng.normal(0, 0.1, (steps, 2, *grid)).astype(np.float32)
    light = np.cumsum(rng.normal(0, 0.1, (steps, *grid)), axis=0).astype(np.float32)
    return MotionField(v, light, speed_map(v), rng.random(grid).astype(np.float32))


def speed_map(v: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    return np.linalg.norm(v, axis=1).mean(axis=0).astype(np.float32)


def test_grid_has_32_cells_on_the_short_side() -> None:
    assert grid_for(1920, 1080) == (32, 57)
    assert grid_for(1080, 1920) == (57, 32)


def test_a_field_refuses_nan_and_wrong_shapes() -> None:
    f = random_field(0)
    bad = f.velocity.copy()
    bad[0, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="velocity must be finite"):
        MotionField(bad, f.light, f.map, f.still)
    with pytest.raises(ValueError, match="light must be"):
        MotionField(f.velocity, f.light[1:], f.map, f.still)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.floats(0, 4), st.floats(0, 4))
def test_scale_is_linear_and_add_commutes(seed: int, a: float, b: float) -> None:
    f, g = random_field(seed), random_field(seed + 1)
    twice = ops.scale(ops.scale(f, a), b)
    np.testing.assert_allclose(twice.velocity, ops.scale(f, a * b).velocity, atol=1e-5)
    np.testing.assert_array_equal(ops.add(f, g).velocity, ops.add(g, f).velocity)
    np.testing.assert_allclose(
        ops.add(ops.scale(f, a), ops.scale(f, b)).light, ops.scale(f, a + b).light, atol=1e-4
    )


def test_scale_zero_is_still() -> None:
    f = ops.scale(random_field(1), 0)
    assert not f.velocity.any()
    assert not f.light.any()


def test_freeze_is_exact_and_idempotent() -> None:
    f = random_field(2)
    where = np.zeros(f.grid, np.float32)
    where[5:9, 3:20] = 1
    once = ops.freeze(f, where)
    assert not once.velocity[..., 5:9, 3:20].any()
    assert (once.still[5:9, 3:20] == 1).all()
    np.testing.assert_array_equal(ops.freeze(once, where).velocity, once.velocity)
    np.testing.assert_array_equal(once.velocity[..., 10:, :], f.velocity[..., 10:, :])


def test_beyond_its_end_a_field_goes_on_and_never_repeats() -> None:
    f = random_field(3)
    seconds = f.seconds
    times = np.arange(0, 20 * seconds, 1 / f.rate)
    long = np.stack([ops.velocity_at(f, t) for t in times])
    own = long[: f.steps]
    scale = own.std()
    assert long.std() == pytest.approx(scale, rel=0.15)  # neither dies out nor grows
    np.testing.assert_allclose(long[f.steps :].mean(), own.mean(), atol=0.15 * scale)
    for period in (seconds, 2 * seconds, 4 * seconds):  # a mirror would come back after two
        shift = round(period * f.rate)
        apart = np.abs(long[shift:] - long[:-shift]).mean(axis=(1, 2, 3))
        assert np.median(apart) > 0.5 * scale
    for t in (seconds, 2 * seconds, 7.3 * seconds):  # no jump at the end of a window
        step = np.abs(ops.velocity_at(f, t + 1e-4) - ops.velocity_at(f, t - 1e-4)).max()
        assert step < 0.02 * scale
    np.testing.assert_array_equal(ops.velocity_at(f, 11.0), ops.velocity_at(f, 11.0))


def test_light_starts_at_zero() -> None:
    assert not ops.light_at(random_field(4), 0.0).any()


def test_displacement_of_a_constant_drift() -> None:
    f = simple_field(drift=(0.1, -0.05))
    d = ops.displacement(f, 3.0)
    np.testing.assert_allclose(d[:, 0, 0], [0.3, -0.15], atol=1e-5)


def test_resample_keeps_smooth_motion() -> None:
    f = simple_field(drift=(0.1, 0.0), sway=0.05)
    there = ops.resample(f, rate=32.0)
    assert there.steps == 64
    for t in (0.3, 1.1):
        np.testing.assert_allclose(ops.velocity_at(there, t), ops.velocity_at(f, t), atol=0.006)
    wide = ops.resample(f, grid=(64, 106))
    assert wide.grid == (64, 106)
    assert abs(speed(wide).mean() - speed(f).mean()) < 0.002


@pytest.mark.parametrize("seconds", [2.0, 3.3, 4.0])
def test_periodic_wraps(seconds: float) -> None:
    f = ops.periodic(simple_field(drift=(0.1, 0.0), sway=0.05), seconds)
    assert f.loop_seconds == seconds
    for t in (0.0, 0.4, 1.7):
        a, b = ops.velocity_at(f, t), ops.velocity_at(f, t + seconds)
        np.testing.assert_allclose(a, b, atol=1e-5)
    jump = np.abs(f.velocity[0] - f.velocity[-1]).max()
    step = np.abs(np.diff(f.velocity, axis=0)).max()
    assert jump <= step + 1e-6


def test_periodic_returns_what_sways_and_keeps_what_drifts() -> None:
    sway = ops.periodic(simple_field(sway=0.1, drift=(0.01, 0)), 4.0)
    assert np.abs(sway.velocity.mean(axis=0)).max() < 1e-6
    drift = ops.periodic(simple_field(drift=(0.1, 0)), 4.0)
    np.testing.assert_allclose(drift.velocity.mean(axis=0)[0, 0, 0], 0.1, atol=1e-5)
