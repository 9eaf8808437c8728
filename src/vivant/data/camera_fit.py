"""Global camera motion from a velocity field: a robust similarity fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats


@dataclass(frozen=True)
class CameraFit:
    """``motion`` (tx, ty, zoom, roll) per second; ``share`` of the weight it explains, 0..1."""

    motion: tuple[float, float, float, float]
    share: float


def _basis(h: int, w: int) -> Floats:
    """Velocity of the picture under unit motions, ``[4, 2, h, w]``, about the centre."""
    short = min(h, w)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    x, y = (x + 0.5 - w / 2) / short, (y + 0.5 - h / 2) / short
    one, zero = np.ones_like(x), np.zeros_like(x)
    return np.array([[one, zero], [zero, one], [x, y], [-y, x]], np.float32)


def camera_velocity(motion: Floats, h: int, w: int) -> Floats:
    """The velocity field ``[2, h, w]`` of a camera motion (tx, ty, zoom, roll) per second."""
    return np.tensordot(motion, _basis(h, w), axes=1).astype(np.float32)


def fit_camera(velocity: Floats, weight: Floats, rounds: int = 12) -> CameraFit:
    """Iteratively reweighted least squares with a Geman-McClure weight.

    ``velocity`` ``[2, h, w]`` short sides per second, ``weight`` ``[h, w]`` >= 0. Begins at
    the weighted median translation, so that a moving minority does not pull the fit.
    """
    h, w = weight.shape
    basis = _basis(h, w).reshape(4, 2, -1)
    v, base = velocity.reshape(2, -1), weight.reshape(-1).astype(np.float64) + 1e-6
    motion = np.array([_median(v[0], base), _median(v[1], base), 0.0, 0.0])
    for _ in range(rounds):
        residual = np.linalg.norm(v - np.tensordot(motion, basis, axes=1), axis=0)
        scale = max(float(_median(residual, base)) * 1.5, 0.005)
        robust = base / (1 + (residual / scale) ** 2) ** 2
        normal = np.einsum("aic,bic,c->ab", basis, basis, robust) + 1e-9 * np.eye(4)
        motion = np.linalg.solve(normal, np.einsum("aic,ic,c->a", basis, v, robust))
    fitted = np.tensordot(motion, basis, axes=1)
    close = np.linalg.norm(v - fitted, axis=0) < 0.008 + 0.15 * np.linalg.norm(fitted, axis=0)
    share = float((base * close).sum() / base.sum())
    return CameraFit(tuple(float(m) for m in motion), share)  # type: ignore[arg-type]


def _median(values: NDArray[Any], weight: NDArray[Any]) -> float:
    order = np.argsort(values)
    cumulative = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(cumulative, cumulative[-1] / 2)])
