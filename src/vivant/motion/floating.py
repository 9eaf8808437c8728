"""What floats: vehicles on water, with whoever and whatever sits, stands or is set on them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Plane
from vivant.motion.held import Looked

ABOARD = ("vehicle", "being", "cloth")
"""Kinds that may be parts of what floats."""
WORK = 360
"""Short side in pixels at which it is looked for."""
LEAST, MOST = 0.0008, 0.2
"""Share of the picture that what floats covers, at least and at most."""
VEHICLE = 0.4
"""Least share of it that is a vehicle."""
BELOW, AFLOAT = 0.35, 0.6
"""So much of its height is its lower part, and so much of what is beside that is water."""
BESIDE = 0.02
"""Short sides beside it that are looked at."""


@dataclass(frozen=True)
class Afloat:
    """``place`` (x, y as shares of the picture) on what floats, its ``width`` in short sides."""

    place: tuple[float, float]
    width: float


def floating(looked: Looked) -> list[Afloat]:
    """All that floats in a picture, the largest first."""
    labels, stats, size = _parts(looked)
    water, vehicle = (
        cv2.resize(plane, size, interpolation=cv2.INTER_AREA) > 127
        for plane in (looked.of(("water",)), looked.of(("vehicle",)))
    )
    found = []
    for number in np.argsort(-stats[:, cv2.CC_STAT_AREA]):
        share = stats[number, cv2.CC_STAT_AREA] / (size[0] * size[1])
        if number == 0 or not LEAST <= share <= MOST:
            continue
        own = labels == number
        if vehicle[own].mean() >= VEHICLE and _afloat(own, water):
            rows, columns = np.nonzero(own)
            middle = np.argmin(np.hypot(rows - rows.mean(), columns - columns.mean()))
            place = (columns[middle] + 0.5) / size[0], (rows[middle] + 0.5) / size[1]
            width = (columns.max() - columns.min() + 1) / min(size)
            found.append(Afloat((float(place[0]), float(place[1])), float(width)))
    return found


def float_matte(looked: Looked, place: tuple[float, float]) -> Plane:
    """The matte ``[H, W]`` of what floats at a ``place``; empty where nothing is there."""
    labels, _, size = _parts(looked)
    x, y = min(size[0] - 1, int(place[0] * size[0])), min(size[1] - 1, int(place[1] * size[1]))
    own = (labels == labels[y, x]) & (labels[y, x] > 0)
    near = cv2.dilate(own.astype(np.uint8), np.ones((5, 5), np.uint8))
    wide = cv2.resize(near, looked.mattes.size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(looked.of(ABOARD) * wide, np.uint8)


def _parts(looked: Looked) -> tuple[NDArray[np.int32], NDArray[np.int32], tuple[int, int]]:
    """What hangs together of all that may be aboard: labels, their statistics, and the size."""
    width, height = looked.mattes.size
    scale = min(1.0, WORK / min(width, height))
    size = max(8, round(width * scale)), max(8, round(height * scale))
    plane = cv2.resize(looked.of(ABOARD), size, interpolation=cv2.INTER_AREA)
    _, labels, stats, _ = cv2.connectedComponentsWithStats((plane > 127).astype(np.uint8))
    return labels, stats, size


def _afloat(own: NDArray[np.bool_], water: NDArray[np.bool_]) -> bool:
    """Whether the lower part of a thing is in water."""
    rows = np.flatnonzero(own.any(1))
    low = rows[-1] - BELOW * (rows[-1] - rows[0])
    reach = 2 * max(2, round(BESIDE * min(own.shape))) + 1
    wide = cv2.dilate(own.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    beside = wide & ~own
    beside[: int(low)] = False
    return bool(beside.any() and water[beside].mean() >= AFLOAT)
