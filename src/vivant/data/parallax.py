"""Depth from a moving camera: which part of the flow no rotation explains.

The instantaneous motion field of a rigid scene (Longuet-Higgins and Prazdny, 1980) is a rotation,
the same for every depth, plus a translation divided by depth. For every direction of translation
the flow across it must be rotation alone, which is linear; the direction that leaves least is
taken (Bruss and Horn, 1983), and the flow along it is the inverse depth up to a scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats

FOCAL = 1.2
"""Focal length in short sides: what a phone or a normal lens has, since clips do not say."""


Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Parallax:
    """``depth`` ``[h, w]`` inverse depth in arbitrary units (may be negative where the flow is
    noise); ``explained`` 0..1, share of the flow's energy that rotation and parallax explain;
    ``share`` 0..1, how much of the explained flow is parallax."""

    depth: Floats
    explained: float
    share: float


def parallax(velocity: Floats, weight: Floats, directions: int = 200) -> Parallax:
    """Inverse depth from a velocity field ``[2, h, w]`` (short sides per second) trusted by
    ``weight`` ``[h, w]`` >= 0."""
    h, w = weight.shape
    turning, shifting = _bases(h, w)
    v = velocity.reshape(2, -1).astype(np.float64)
    trust = weight.ravel().astype(np.float64) + 1e-9
    fits = [_fit(v, trust, turning, shifting, way) for way in _sphere(directions)]
    _, spin, way = min(fits, key=lambda fit: fit[0])
    rest = v - np.einsum("aik,a->ik", turning, spin)
    along = np.einsum("aik,a->ik", shifting, way)
    size = (along**2).sum(0)
    depth = (rest * along).sum(0) / np.maximum(size, 1e-3 * size.mean())
    depth = depth if (depth * trust).sum() >= 0 else -depth
    explained = np.einsum("aik,a->ik", turning, spin) + _signed(depth, rest, along) * along
    energy = (v**2).sum(0) @ trust
    left = ((v - explained) ** 2).sum(0) @ trust
    shift = ((depth * along) ** 2).sum(0) @ trust
    return Parallax(
        depth.reshape(h, w).astype(np.float32),
        float(np.clip(1 - left / energy, 0, 1)),
        float(np.clip(shift / energy, 0, 1)),
    )


def _signed(depth: Floats, rest: Floats, along: Floats) -> Floats:
    """``depth`` with the sign under which it explains ``rest``."""
    return depth if ((rest * along).sum(0) * depth).sum() >= 0 else -depth


def _bases(h: int, w: int) -> tuple[Doubles, Doubles]:
    """Flow of unit rotations and of unit translations at inverse depth 1, ``[3, 2, h w]``."""
    short = min(h, w)
    y, x = (np.mgrid[0:h, 0:w].reshape(2, -1) + 0.5 - np.array([[h / 2], [w / 2]])) / short
    f, zero = np.full_like(x, FOCAL), np.zeros_like(x)
    turning = [[x * y / f, f + y * y / f], [-(f + x * x / f), -x * y / f], [y, -x]]
    shifting = [[-f, zero], [zero, -f], [x, y]]
    return np.array(turning), np.array(shifting)


def _sphere(count: int) -> Floats:
    """Directions spread evenly over a half sphere (Fibonacci)."""
    k = np.arange(count) + 0.5
    z, turn = k / count, np.pi * (1 + 5**0.5) * k
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], axis=1)


def _fit(
    v: Doubles, trust: Doubles, turning: Doubles, shifting: Doubles, way: Doubles
) -> tuple[float, Doubles, Doubles]:
    """Robust least-squares rotation for one direction of translation: what is left, rotation,
    direction."""
    along = np.einsum("aik,a->ik", shifting, way)
    across = np.stack([-along[1], along[0]]) / (np.linalg.norm(along, axis=0) + 1e-6)
    a, b = (turning * across).sum(1), (v * across).sum(0)
    weight = trust
    for _ in range(3):
        spin = np.linalg.solve((a * weight) @ a.T + 1e-9 * np.eye(3), (a * weight) @ b)
        left = abs(b - spin @ a)
        scale = np.median(left) * 1.5 + 1e-4
        weight = trust / (1 + (left / scale) ** 2)
    robust = left**2 / (1 + (left / 0.02) ** 2)
    return float(robust @ trust), spin, way
