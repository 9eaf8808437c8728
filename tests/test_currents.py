from __future__ import annotations

import numpy as np
import pytest

from vivant.motion import currents
from vivant.motion.currents import Arrow


def band(height: int = 120, width: int = 180) -> np.ndarray:
    """A river across the lower half."""
    matte = np.zeros((height, width), np.uint8)
    matte[60:110] = 255
    return matte


def means(field: np.ndarray, matte: np.ndarray) -> np.ndarray:
    return field[currents.cells_of(matte)].mean(0)


def test_a_river_runs_from_its_source_to_its_sink() -> None:
    matte = band()
    field = currents.river(matte, ((0.0, 0.7), (1.0, 0.7)), 0.07)
    across, down = means(field, matte)
    assert across > 0.02
    assert abs(down) < 0.1 * across
    back = currents.river(matte, ((1.0, 0.7), (0.0, 0.7)), 0.07)
    assert means(back, matte)[0] < -0.02
    assert not field[~currents.cells_of(matte)].any()
    assert np.linalg.norm(field, axis=-1).max() <= 0.0701


def test_a_bend_is_followed() -> None:
    matte = np.zeros((160, 160), np.uint8)
    matte[20:60, 20:] = 255
    matte[20:, 20:60] = 255
    field = currents.river(matte, ((1.0, 0.25), (0.25, 1.0)), 0.1)
    h, w = field.shape[:2]
    top, side = field[round(0.25 * h), round(0.8 * w)], field[round(0.8 * h), round(0.25 * w)]
    assert top[0] < 0 < side[1]
    assert abs(top[1]) < 0.3 * abs(top[0])
    assert abs(side[0]) < 0.3 * abs(side[1])


def test_a_potential_has_no_flux_through_its_banks() -> None:
    part = np.zeros((40, 60), bool)
    part[10:30, 5:55] = True
    part[18:22, 25:35] = False  # an island
    ends = np.zeros((2, 40, 60), bool)
    ends[0, :, 5], ends[1, :, 54] = True, True
    field = currents.potential(part, ends[0] & part, ends[1] & part)
    flux = [float(field[:, x, 0].sum()) for x in (12, 20, 30, 40, 50)]
    np.testing.assert_allclose(flux, flux[0], rtol=0.12)
    assert abs(field[10, 8:52, 1]).max() < 0.2 * field[10, 8:52, 0].max()


def test_far_water_is_slower() -> None:
    matte = band(180, 180)
    matte[60:] = 255
    field = currents.open_water(matte, 0.03, 270.0)
    rows = np.flatnonzero(currents.cells_of(matte).any(1))
    speed = np.linalg.norm(field, axis=-1).max(1)
    assert speed[rows[-1]] > 3 * speed[rows[1]]
    assert field[rows[-1], 40, 1] == pytest.approx(0.03, rel=0.05)


def test_falls_fall_faster_and_faster_and_stop_at_their_foot() -> None:
    matte = np.zeros((160, 100), np.uint8)
    matte[10:150, 30:70] = 255
    field = currents.fall(matte, 0.2)
    h, w = field.shape[:2]
    down = field[:, w // 2, 1]
    assert down[round(0.15 * h)] < down[round(0.7 * h)]
    assert down[round(0.7 * h)] > down[round(0.92 * h)] > 0


def test_smoke_goes_where_it_is_sent() -> None:
    matte = np.full((100, 100), 255, np.uint8)
    across, down = means(currents.plume(matte, 0.1, 90.0), matte)
    assert down < -0.08
    assert abs(across) < 0.03


@pytest.mark.parametrize(("degrees", "axis", "sign"), [(0, 0, 1), (180, 0, -1), (270, 1, 1)])
def test_flows_go_the_way_that_is_asked(degrees: float, axis: int, sign: int) -> None:
    matte = np.full((100, 140), 255, np.uint8)
    field = means(currents.straight(matte, 0.05, degrees), matte)
    assert sign * field[axis] > 0.03
    assert abs(field[1 - axis]) < 0.005


def test_arrows_turn_the_whole_river_and_are_obeyed_where_they_lie() -> None:
    matte = band()
    field = currents.river(matte, ((0.0, 0.7), (1.0, 0.7)), 0.07)
    arrows = tuple(Arrow((x, 0.7), (-0.2, 0.0)) for x in (0.45, 0.5, 0.55))
    turned = currents.turned(field, matte, arrows)
    assert means(turned, matte)[0] < -0.02
    h, w = turned.shape[:2]
    assert turned[round(0.7 * h), w // 2, 0] == pytest.approx(-0.2, rel=0.1)
    elsewhere = currents.turned(field, matte, (Arrow((0.5, 0.2), (-0.2, 0.0)),))
    np.testing.assert_array_equal(elsewhere, field)
