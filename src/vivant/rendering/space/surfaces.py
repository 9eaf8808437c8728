"""Depth made of surfaces: nearly plane ones that meet in creases and steps.

Bumps that a network puts on a wall bend its straight lines as soon as the camera moves; a surface
whose disparity is affine keeps them straight.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats

FIDELITY = 4.0
"""How much the depth that is seen counts against the smoothness of what is made of it."""
CREASE = 2.0
"""What a change of slope costs, a step of depth 1."""
AT_STEPS = 0.1
"""What a step costs where one is seen, in place of 1."""
ROUNDS = 200
STRIDE = 1 / np.sqrt(12.0)

Stack = NDArray[np.float32]


def plain(depth: Floats, steps: Floats) -> Floats:
    """``depth`` ``[h, w]`` of least second-order total generalised variation (Bredies, Kunisch and
    Pock, "Total Generalized Variation", 2010; the primal-dual method of Chambolle and Pock, 2011)
    near what is seen; where ``steps`` ``[h, w]`` 0..1 are, it may jump."""
    cost = (1 - (1 - AT_STEPS) * steps).astype(np.float32)
    made = leading = depth.astype(np.float32)
    slope = leading_slope = np.zeros((2, *depth.shape), np.float32)
    jump, bend = np.zeros_like(slope), np.zeros((3, *depth.shape), np.float32)
    tau = np.float32(STRIDE)
    pull = tau * np.float32(FIDELITY)
    for _ in range(ROUNDS):
        jump = _within(jump + tau * (_gradient(leading) - leading_slope), cost)
        bend = _within(bend + tau * _bends(leading_slope), np.float32(CREASE))
        next_made = (made + tau * _divergence(jump) + pull * depth) / (1 + pull)
        next_slope = slope + tau * (jump + _bends_back(bend))
        leading, leading_slope = 2 * next_made - made, 2 * next_slope - slope
        made, slope = next_made, next_slope
    return np.asarray(np.clip(made, 0, 1), np.float32)


def _within(dual: Stack, most: Floats | np.float32) -> Stack:
    """A field of vectors, or of symmetric matrices (xx, yy, xy), none longer than ``most``."""
    squared = dual[0] ** 2 + dual[1] ** 2
    if len(dual) == 3:
        squared += 2 * dual[2] ** 2
    return np.asarray(dual / np.maximum(1, np.sqrt(squared) / most), np.float32)


def _across(values: Stack) -> Stack:
    out = np.zeros_like(values)
    np.subtract(values[..., 1:], values[..., :-1], out=out[..., :-1])
    return out


def _down(values: Stack) -> Stack:
    out = np.zeros_like(values)
    np.subtract(values[..., 1:, :], values[..., :-1, :], out=out[..., :-1, :])
    return out


def _across_back(values: Stack) -> Stack:
    """The negative adjoint of `_across`."""
    out = values.copy()
    out[..., -1] = 0
    out[..., 1:] -= values[..., :-1]
    return out


def _down_back(values: Stack) -> Stack:
    """The negative adjoint of `_down`."""
    out = values.copy()
    out[..., -1, :] = 0
    out[..., 1:, :] -= values[..., :-1, :]
    return out


def _gradient(values: Stack) -> Stack:
    return np.stack([_across(values), _down(values)])


def _divergence(field: Stack) -> Stack:
    return np.asarray(_across_back(field[0]) + _down_back(field[1]))


def _bends(slope: Stack) -> Stack:
    """The symmetric derivative of a field of slopes: xx, yy, xy."""
    mixed = (_down(slope[0]) + _across(slope[1])) / 2
    return np.stack([_across(slope[0]), _down(slope[1]), mixed])


def _bends_back(bend: Stack) -> Stack:
    """The negative adjoint of `_bends`."""
    return np.stack(
        [
            _across_back(bend[0]) + _down_back(bend[2]),
            _down_back(bend[1]) + _across_back(bend[2]),
        ]
    )
