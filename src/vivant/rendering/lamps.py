"""What shines by itself in a picture: lamps, candles, lit windows, flames."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Plane
from vivant.rendering.disc import disc
from vivant.rendering.manners.manner import enlarged

WORK = 360
"""Short side in pixels at which lamps are looked for."""
DARK = 105
"""Median level of a picture from which on bright spots are no lamps."""
BRIGHT, STANDS_OUT = 215, 70
"""Level of a lamp, and by how much it is brighter than what is around it."""
WIDE = 1 / 7
"""A lamp is narrower, in short sides."""
HALO = (0.015, 0.07)
"""Short sides over which the light of a lamp falls, near and far."""
LIT = 0.55
"""Share of a lamp's change that what it lights changes by, at most."""
GROUPS = 4
"""Lamps flicker in so many groups, each for itself."""


def lamps(pixels: Frame, fire: Plane, sky: Plane) -> tuple[Floats, ...]:
    """Planes ``[H, W]`` 0..1, each of some of the lamps of a picture ``[H, W, 3]`` with what they
    light: flames (``fire`` ``[H, W]``), and bright spots in a dark picture that are not in its
    ``sky``. None where none is seen."""
    h, w = pixels.shape[:2]
    scale = min(1.0, WORK / min(h, w))
    size = max(8, round(w * scale)), max(8, round(h * scale))
    small, burning, above = (
        cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (pixels, fire, sky)
    )
    spots = (burning > 127) | (_spots(small) & (above < 96))
    count, labels, stats, centres = cv2.connectedComponentsWithStats(spots.astype(np.uint8))
    groups = np.zeros((GROUPS, *spots.shape), np.float32)
    for number in range(1, count):
        if stats[number, cv2.CC_STAT_AREA] > 1:
            x, y = (int(v) for v in centres[number])
            groups[(7 * x + 13 * y) % GROUPS][labels == number] = 1
    return tuple(enlarged(_shining(group), (h, w)) for group in groups if group.any())


def _spots(small: Frame) -> NDArray[np.bool_]:
    """Compact bright spots of a dark picture."""
    level = small.max(axis=2)
    if float(np.median(level)) > DARK:
        return np.zeros(level.shape, bool)
    kernel = disc(round(WIDE * min(level.shape)) // 2)
    hat = cv2.morphologyEx(level, cv2.MORPH_TOPHAT, kernel)
    return np.asarray((level >= BRIGHT) & (hat >= STANDS_OUT))


def _shining(spots: Floats) -> Floats:
    """Spots with the light that falls from them on what is around."""
    short = min(spots.shape)
    core = cv2.GaussianBlur(spots, (0, 0), 1.0)
    total = np.zeros_like(spots)
    for width in HALO:
        soft = cv2.GaussianBlur(spots, (0, 0), width * short)
        total += soft / max(float(soft.max()), 1e-6)
    return np.asarray(np.maximum(core, LIT * total / len(HALO)), np.float32)
