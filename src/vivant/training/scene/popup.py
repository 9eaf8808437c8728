"""Depth from what stands where: pop-up geometry (Hoiem, Efros and Hebert, SIGGRAPH 2005).

The sky is infinitely far. Ground and water fall from the horizon to the lower edge. What stands
on the ground is as near as its foot. Right in its order, not in its scale: a label to learn from
with a loss that is blind to scale and shift.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.data.teachers import MOSAIC
from vivant.kinds import INDEX

PLANE = ("road", "sidewalk", "earth", "grass", "field", "water", "sea", "floor", "rug")
FAR = 0.04
"""Inverse depth of mountains, 1 being the ground at the lower edge."""


@dataclass(frozen=True)
class PopUp:
    """``depth`` ``[h, w]`` inverse depth 0..1 and ``weight`` ``[h, w]`` 0..1."""

    depth: Floats
    weight: Floats


def pop_up(mosaic: NDArray[np.uint8], kinds: Floats) -> PopUp | None:
    """Inverse depth of a picture, or None where it shows too little ground to stand on.

    ``mosaic`` ``[32, h, w]`` uint8 shares, ``kinds`` ``[12, h, w]`` the mended shares.
    """
    shares = mosaic / np.float32(255)
    standing = kinds[INDEX["being"]] + kinds[INDEX["vehicle"]]
    plane = sum(shares[MOSAIC.index(n)] for n in PLANE) * (1 - np.clip(standing, 0, 1))
    ground = np.asarray(plane > 0.6)
    h, w = ground.shape
    if ground[h // 2 :].mean() < 0.15:
        return None
    horizon = _horizon(ground, kinds[INDEX["sky"]] > 0.6)
    rows = np.arange(h, dtype=np.float32)[:, None]
    level = np.clip((rows - horizon) / max(h - horizon, 1), 0.01, 1) * np.ones((1, w), np.float32)
    depth = np.where(ground, level, 0).astype(np.float32)
    sky, mountain = kinds[INDEX["sky"]] > 0.5, shares[MOSAIC.index("mountain")] > 0.5
    raised = ~ground & ~sky & ~mountain
    depth = np.where(raised, _feet(raised, standing > 0.5, level), depth)
    depth = np.where(mountain & ~ground, np.maximum(FAR, 0), depth)
    weight = np.clip(2 * kinds.max(0) - 0.8, 0, 1) * np.where(raised, 0.5, 1.0)
    return PopUp(cv2.GaussianBlur(depth.astype(np.float32), (0, 0), 0.7), weight.astype(np.float32))


def _horizon(ground: NDArray[np.bool_], sky: NDArray[np.bool_]) -> float:
    """Row of the horizon: where the ground begins, but never below where the sky ends."""
    h = len(ground)
    rows = np.flatnonzero(ground.mean(1) > 0.08)
    top = float(rows[0]) if len(rows) else 0.5 * h
    skies = np.flatnonzero(sky.mean(1) > 0.3)
    end = float(skies[-1]) if len(skies) else 0.35 * h
    return float(np.clip(min(top - 1, max(end, 0.2 * h)), 0.05 * h, 0.8 * h))


def _feet(raised: NDArray[np.bool_], things: NDArray[np.bool_], level: Floats) -> Floats:
    """Inverse depth of what stands: of a thing one value, of walls and trees one per column."""
    h = len(raised)
    out = np.zeros(level.shape, np.float32)
    current = np.full(level.shape[1], level[-1, 0], np.float32)
    for y in range(h - 1, -1, -1):  # upwards: a column keeps the depth of the ground it left
        current = np.where(raised[y], current, level[y])
        out[y] = current
    out = cv2.blur(out, (max(3, level.shape[1] // 16) | 1, 1))
    count, parts = cv2.connectedComponents((things & raised).astype(np.uint8))
    for part in range(1, count):
        where = parts == part
        foot = np.flatnonzero(where.any(1))[-1]
        out[where] = level[min(foot + 1, h - 1), 0]
    return out
