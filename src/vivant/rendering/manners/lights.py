"""Lights in the sky that clouds leave behind: sun, moon, stars."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats
from vivant.rendering.manners.manner import Ground

SATURATED = 252
MOST = 0.06
"""Share of a layer from which what is saturated is no sun but an overexposed sky."""
DISC, ROUND = 0.015, 0.6
"""Largest area of a moon in square short sides; least share of its circle that a disc fills."""
BRIGHTER = 60
"""Levels by which a disc is brighter than the sky around it."""
DARK = 70
"""Median level of a sky in which points of light are stars."""
STAR = 14


def lights(ground: Ground) -> Floats | None:
    """How far each pixel of a sky holds, ``[h, w]`` 0..1; None where no light is seen."""
    grey = ground.texture.max(axis=2)
    found = _sun(ground.texture.min(axis=2)) | _discs(grey, ground.short)
    if float(np.median(grey)) < DARK:
        found = np.maximum(found, _stars(grey, ground.short))
    if not found.any():
        return None
    wide = cv2.dilate(found.astype(np.float32), np.ones((3, 3), np.uint8))
    soft = cv2.GaussianBlur(wide, (0, 0), max(0.8, ground.short / 160))
    return np.asarray(np.clip(2.5 * soft, 0, 1), np.float32)


def _sun(low: np.ndarray) -> np.ndarray:
    hot = low >= SATURATED
    return hot if hot.mean() < MOST else np.zeros_like(hot)


def _discs(grey: np.ndarray, short: float) -> np.ndarray:
    """Compact round things much brighter than the sky around them."""
    around = cv2.GaussianBlur(grey, (0, 0), max(1.0, short / 8))
    bright = cv2.subtract(grey, around) > BRIGHTER
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright.astype(np.uint8))
    out = np.zeros(grey.shape, bool)
    for number in range(1, count):
        _, _, width, height, area = stats[number]
        circle = np.pi / 4 * max(width, height) ** 2
        if 12 <= area <= DISC * short * short and area / circle >= ROUND:
            out |= labels == number
    return out


def _stars(grey: np.ndarray, short: float) -> np.ndarray:
    """Points of light in a dark sky."""
    size = max(3, round(short / 120) | 1)
    top = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, np.ones((size, size), np.uint8))
    return np.asarray(top > STAR)
