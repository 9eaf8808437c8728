"""Lights in the sky that clouds leave behind: sun, moon, stars."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.rendering.disc import disc
from vivant.rendering.manners.manner import Ground, enlarged

Lit = NDArray[np.bool_]

WORK = 320
"""Short side in pixels at which lights are looked for."""
SATURATED = 252
MOST = 0.06
"""Share of a layer from which what is saturated is no sun but an overexposed sky."""
DISCS = (0.05, 0.12, 0.25)
"""Discs narrower than so many short sides are looked for."""
LEAST, ROUND = 6e-5, 0.75
"""Least area of a disc in square short sides; least share of its circle that it fills."""
BRIGHTER = 22
"""Levels by which a disc is brighter than the sky around it."""
AROUND, UNEVEN = 1.0, 0.22
"""Over so many of its widths around a disc the sky differs by less than so much of its light."""
GLOW = 0.12
"""Width of the glow around a light, in short sides."""
GLOWS = 5e-4
"""Least area, in square short sides, of a disc around which the sky glows: a star's does not."""
DARK = 110
"""Median level of a sky in which points of light are stars."""
STAR = 14


def lights(ground: Ground) -> Floats | None:
    """How far each pixel of a sky holds, ``[h, w]`` 0..1; None where no light is seen."""
    h, w = ground.shape
    scale = min(1.0, WORK / ground.short)
    size = max(8, round(w * scale)), max(8, round(h * scale))
    small = cv2.resize(ground.texture, size, interpolation=cv2.INTER_AREA)
    found = _found(small, ground.short * scale)
    return None if found is None else enlarged(found, (h, w))


def stars(ground: Ground) -> Floats | None:
    """As `lights`, of points of light alone."""
    h, w = ground.shape
    scale = min(1.0, WORK / ground.short)
    size = max(8, round(w * scale)), max(8, round(h * scale))
    small = cv2.resize(ground.texture, size, interpolation=cv2.INTER_AREA)
    found = _stars(small.max(axis=2), ground.short * scale)
    return enlarged(_tight(found, ground.short * scale), (h, w)) if found.any() else None


def _found(texture: Frame, short: float) -> Floats | None:
    grey = texture.max(axis=2)
    discs = _sun(texture.min(axis=2)) | _discs(grey, short)
    points = _stars(grey, short) if float(np.median(grey)) < DARK else np.zeros_like(discs)
    if not (discs | points).any():
        return None
    glow = _glow(_sun(texture.min(axis=2)), discs, short)
    return np.asarray(np.maximum(_tight(discs | points, short), glow), np.float32)


def _tight(found: Lit, short: float) -> Floats:
    """Lights with their rims, 0..1."""
    wide = cv2.dilate(found.astype(np.float32), np.ones((3, 3), np.uint8))
    soft = cv2.GaussianBlur(wide, (0, 0), max(0.8, short / 160))
    return np.asarray(np.clip(3 * soft, 0, 1), np.float32)


def _glow(sun: Lit, discs: Lit, short: float) -> Floats:
    """How far the glow around a sun or a moon stays with it."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(discs.astype(np.uint8))
    large = stats[:, cv2.CC_STAT_AREA] >= GLOWS * short * short
    large[0] = False
    bright = sun | large[labels] if count > 1 else sun
    if not bright.any():
        return np.zeros(discs.shape, np.float32)
    soft = cv2.GaussianBlur(bright.astype(np.float32), (0, 0), GLOW * short)
    return np.asarray(np.clip(soft / max(float(soft.max()), 1e-6), 0, 0.9), np.float32)


def _sun(low: NDArray[np.uint8]) -> Lit:
    hot = low >= SATURATED
    return np.asarray(hot if hot.mean() < MOST else np.zeros_like(hot))


def _discs(grey: NDArray[np.uint8], short: float) -> Lit:
    """Compact round things brighter than the sky around them, of the size of a sun or a moon."""
    out = np.zeros(grey.shape, bool)
    for width in DISCS:
        kernel = disc(max(5, round(width * short)) // 2)
        top = cv2.morphologyEx(cv2.GaussianBlur(grey, (0, 0), 1.0), cv2.MORPH_TOPHAT, kernel)
        out |= _round((top > BRIGHTER).astype(np.uint8), grey, short)
    by_day = float(np.median(grey)) >= DARK
    if by_day and cv2.connectedComponents(out.astype(np.uint8))[0] > 2:
        return np.zeros(grey.shape, bool)  # there is one moon; these are puffs of cloud
    return out


def _round(bright: NDArray[np.uint8], grey: NDArray[np.uint8], short: float) -> Lit:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright)
    out = np.zeros(bright.shape, bool)
    for number in range(1, count):
        _, _, width, height, area = stats[number]
        long, small = max(width, height), min(width, height)
        full = area / (np.pi / 4 * long**2)
        if area < LEAST * short * short or small < 0.85 * long or full < ROUND:
            continue
        if _alone(labels == number, grey, float(long)):
            out |= labels == number
    return out


def _alone(own: Lit, grey: NDArray[np.uint8], wide: float) -> bool:
    """Whether what surrounds a disc is even, as it is around a moon, but not around a puff of
    cloud among others."""
    reach = 2 * max(2, round(AROUND * wide)) + 1
    rim = 2 * max(1, round(0.25 * wide)) + 3
    plane = own.astype(np.uint8)
    far, near = (
        cv2.dilate(plane, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k))) > 0
        for k in (reach + rim, rim)
    )
    ring = far & ~near
    if not ring.any():
        return True
    brighter = float(grey[own].mean()) - float(grey[ring].mean())
    return float(grey[ring].std()) < UNEVEN * brighter


def _stars(grey: NDArray[np.uint8], short: float) -> Lit:
    """Points of light in a dark sky."""
    size = max(3, round(short / 120) | 1)
    top = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, np.ones((size, size), np.uint8))
    return np.asarray(top > STAR)
