from __future__ import annotations

import numpy as np
import pytest

from vivant.flow.guidance import guide
from vivant.flow.path import interpolate, velocity
from vivant.flow.solvers import SOLVERS, euler, heun, midpoint, time_grid


@pytest.mark.parametrize(("name", "order"), [("euler", 1), ("heun", 2), ("midpoint", 2)])
def test_order_of_convergence(name: str, order: int) -> None:
    def error(steps: int) -> float:
        x = SOLVERS[name](lambda x, t: x * np.cos(t), np.array([1.0]), time_grid(steps))
        return abs(float(x[0]) - float(np.exp(np.sin(1.0))))

    assert error(32) < error(16) / 2 ** (order - 0.2)


def test_polynomials_are_exact_where_they_should_be() -> None:
    def v(x: float, t: float) -> float:
        return 3 * t * t

    assert heun(lambda x, t: 2 * t, 0.0, time_grid(3)) == pytest.approx(1.0)
    assert midpoint(lambda x, t: 2 * t, 0.0, time_grid(3)) == pytest.approx(1.0)
    assert euler(v, 0.0, time_grid(4000)) == pytest.approx(1.0, abs=1e-3)


def test_a_straight_path_is_walked_in_one_step() -> None:
    noise, data = np.array([1.0, -2.0]), np.array([0.5, 4.0])
    end = euler(lambda x, t: velocity(noise, data), noise, time_grid(1))
    np.testing.assert_allclose(end, data)
    np.testing.assert_allclose(interpolate(noise, data, 0.25), 0.75 * noise + 0.25 * data)


def test_time_grid() -> None:
    assert time_grid(4) == [0.0, 0.25, 0.5, 0.75, 1.0]
    shifted = time_grid(4, shift=3.0)
    assert shifted[0] == 0.0
    assert shifted[-1] == 1.0
    assert shifted[2] < 0.5
    with pytest.raises(ValueError, match="at least 1"):
        time_grid(0)


def test_guidance_extrapolates() -> None:
    assert guide(2.0, 1.0, 1.0) == 2.0
    assert guide(2.0, 1.0, 3.0) == 4.0
    assert guide(2.0, 1.0, 0.0) == 1.0
