"""What is firm in the water: rims of rocks, piers, floes and hulls that the eyes took for water.

Water of a place has colours of its own. What hangs together with something that holds, and is more
like that than like the water around, is its rim; what stands out as a whole, broad and even, is a
thing of its own: a floe, a jetty, a hull. Foam is broken, narrow or has no even inside.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Plane
from vivant.motion.jetty import jetty_in
from vivant.rendering.disc import disc
from vivant.rendering.plates import filled
from vivant.rendering.touching import touching
from vivant.rendering.widely import widely
from vivant.scene.mattes import Mattes

Bools = NDArray[np.bool_]
WORK = 360
"""Short side in pixels at which it is looked for."""
WATER, OTHER = 0.97, 0.35
"""Share of water from which a place is surely water, and under which it is something else."""
AWAY, REACH = 1 / 45, 1 / 12
"""Short sides from what is no water at which water is surely itself, and within which rims lie."""
PALE = 0.35
"""Of that way for what is paler than the water: a lit wall is mirrored below it."""
WIDE, BESIDE = 1 / 14, 1 / 70
"""Short sides over which the colours of the water, and those of what stands in it, are even."""
PLAIN, USUAL = 0.05, 1.3
"""How far a colour (0..1) is from the water's that may be another thing's: as much, and so many
times what is usual around there."""
NEARER, FOREIGN = 0.9, 0.8
"""A rim is so much as far from the colours of what stands there as from the water's at most, and so
far from those at least."""
LEAST = 0.01
"""Share of the picture that must be water."""
STANDS, BROAD, EVEN = 0.16, 1 / 85, 0.55
"""A thing of its own is so far from the water's colours, so many short sides from its edge in its
middle, and its inside varies by so much of that distance at most."""
PART, TALL = 0.75, 1.4
"""What stands out by so much less is still part of a thing; what is so many times as high as wide
is mirrored light."""
GLARES, BLOWN, WHITE, GLITTER = 0.12, 0.6, 0.93, 1 / 12
"""Above glitter the sky is so much brighter than usual, and so bright at least (0..1), or as bright
as the third; glitter is so many short sides wider than that."""
NIGHT = 0.25
"""Light of the sky, 0..1, under which what is pale on the water is mirrored lamps."""
OVERCAST = 0.75
"""Share of the picture's width that is bright from which no light glitters more than others."""
BLUE, SHADE = 0.22, 0.05
"""Blue or green by so much more than red, or of the water's hue but for so much, and darker: deep
water, or the dark side of a wave."""
FOAMS = 0.25
"""Chance that water is surf or a river from which what is pale in it is foam."""
SOFT = 1.0
"""Pixels over which what is firm ends."""


def firm_in_water(mattes: Mattes, pixels: Frame, foaming: float = 0.0) -> Plane | None:
    """What is firm ``[H, W]``, 255 = wholly, in the water of a picture ``[H, W, 3]`` of the mattes'
    size, and what it hangs on to; None where nothing is. ``foaming``: chance 0..1 that the water
    foams."""
    water = mattes.of("water")
    if (water > 127).mean() < LEAST:
        return None
    width, height = mattes.size
    scale = min(1.0, WORK / min(width, height))
    size = max(8, round(width * scale)), max(8, round(height * scale))
    work, share, sky = (
        cv2.resize(plane, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        for plane in (pixels, water, mattes.of("sky"))
    )
    found = firm(work, share, sky, foaming < FOAMS)
    found |= jetty_in(np.asarray(255 * work, np.uint8), share)
    if not found.any():
        return None
    found |= touching((share < OTHER) & (sky < OTHER), found)
    soft = cv2.GaussianBlur(found.astype(np.float32), (0, 0), SOFT)
    wide = cv2.resize(np.clip(2 * soft, 0, 1), mattes.size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.round(255 * wide), np.uint8)


def firm(work: Floats, water: Floats, sky: Floats, pale: bool = True) -> Bools:
    """Where ``[h, w]`` the ``water`` (share ``[h, w]``) of a picture ``[h, w, 3]`` 0..1 is none;
    ``pale``: whether pale things in it may be firm, or are foam."""
    short = min(water.shape)
    other = (water < OTHER) & (sky < OTHER)
    away = cv2.distanceTransform((water >= OTHER).astype(np.uint8), cv2.DIST_L2, 3)
    sure = ((water > WATER) & (away > AWAY * short)).astype(np.float32)
    if sure.mean() < LEAST:
        return np.zeros(water.shape, bool)
    apart = _apart(work, sure, WIDE * short)
    calm = sure * (apart < PLAIN + USUAL * _usual(apart, sure, short))
    apart = _apart(work, calm, WIDE * short) if calm.mean() > LEAST else apart
    usual = PLAIN + USUAL * _usual(apart, calm, short)
    even = _even(work, calm, WIDE * short)
    paler = work.mean(axis=2) > even.mean(axis=2)
    near = away < np.where(paler, PALE, 1) * REACH * short
    rims = _rims(work, water, other, apart / usual, near)
    rims &= ~_tall(rims & paler)
    stands = apart / np.maximum(usual, STANDS)
    stands[(water < OTHER) | rims | _mirrored(work, sky)] = 0
    lit = sky > WATER
    if lit.any() and float(work[lit].mean()) < NIGHT:
        pale = False
    deep = (work[..., 1:].max(axis=2) - work[..., 0] > BLUE) | (_hues(work, even) < SHADE)
    stands[(~paler & deep) if pale else (paler | deep)] = 0
    return np.asarray(rims | _things(work, stands, apart))


def _hues(work: Floats, even: Floats) -> Floats:
    """How far the parts of red, green and blue are from the water's, ``[h, w]`` 0..1."""
    here, there = ((one + 0.02) / (one + 0.02).sum(axis=2, keepdims=True) for one in (work, even))
    return np.asarray(np.abs(here - there).max(axis=2), np.float32)


def _rims(work: Floats, water: Floats, other: Bools, unlike: Floats, near: Bools) -> Bools:
    """What is rather the edge of something else than water."""
    short = min(water.shape)
    inner = cv2.erode(other.astype(np.float32), np.ones((3, 3)))
    if not inner.any():
        return np.zeros(water.shape, bool)
    beside = _apart(work, inner, BESIDE * short)
    like = beside / (PLAIN + USUAL * _usual(beside, inner, short / 2)) < NEARER * unlike
    found = near & (water >= OTHER) & (unlike > FOREIGN) & like
    return touching(np.asarray(found), other)


def _tall(found: Bools) -> Bools:
    """What of ``found`` is far higher than wide: lamps' light, mirrored."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(found.astype(np.uint8))
    tall = stats[:, cv2.CC_STAT_HEIGHT] > TALL * stats[:, cv2.CC_STAT_WIDTH]
    tall[0] = False
    return np.asarray(tall[labels] if count > 1 else np.zeros_like(found))


def _things(work: Floats, stands: Floats, apart: Floats) -> Bools:
    """What stands out of the water as a whole: broad, even, and far from its colours (from 1 on by
    ``stands`` ``[h, w]``, and what of it stands out less and hangs together with it)."""
    short = min(stands.shape)
    foreign = cv2.morphologyEx((stands > 1).astype(np.uint8), cv2.MORPH_OPEN, disc(1))
    deep = cv2.distanceTransform(foreign, cv2.DIST_L2, 3)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(foreign, connectivity=4)
    out = np.zeros(stands.shape, bool)
    for number in range(1, count):
        x, y, w, h, _ = (int(v) for v in stats[number])
        box = slice(y, y + h), slice(x, x + w)
        own = labels[box] == number
        if float(deep[box][own].max()) < BROAD * short or h > TALL * w:
            continue
        middle = own & (deep[box] > 0.4 * BROAD * short)
        rough = float(work[box][middle].std(axis=0).mean())
        if rough < EVEN * float(apart[box][middle].mean()):
            out[box] |= own
    if not out.any():
        return out
    out |= touching(np.asarray(stands > PART), out)
    return np.asarray(cv2.dilate(out.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _mirrored(work: Floats, sky: Floats) -> Bools:
    """What may be the glitter of a bright sky ``[h, w]``: below it, and no brighter."""
    bright = np.where(sky > WATER, work.mean(axis=2), 0)
    wide = max(3, round(GLITTER * min(sky.shape))) | 1
    most = cv2.dilate(bright.max(axis=0)[None].astype(np.float32), np.ones((1, wide), np.uint8))
    usual = float(np.median(bright[bright > 0])) if (bright > 0).any() else 1.0
    glares = most > min(max(usual + GLARES, BLOWN), WHITE)
    if glares.mean() > OVERCAST:
        glares[:] = False
    return np.asarray(glares & (work.mean(axis=2) < most + 0.02))


def _usual(apart: Floats, sure: Floats, short: float) -> Floats:
    """How far colours usually are ``apart`` around each place, where it is ``sure``."""
    sigma = WIDE * short
    squares, known = (widely(v, sigma) for v in (apart**2 * sure, sure))
    return np.asarray(np.sqrt(squares / np.maximum(known, 1e-3)), np.float32)


def _apart(work: Floats, sure: Floats, smooth: float) -> Floats:
    """How far colours are from those that are sure, continued and smoothed."""
    even = _even(work, sure, smooth)
    return np.asarray(np.sqrt(((work - even) ** 2).sum(axis=2)), np.float32)


def _even(work: Floats, sure: Floats, smooth: float) -> Floats:
    """The colours that are sure, continued and smoothed."""
    whole = filled(work * sure[..., None], sure)
    return widely(whole, smooth)
