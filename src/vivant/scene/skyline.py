"""What stands before the sky: thin and pale things that a network took for sky.

A sky's colours are smooth compared with what stands before it. Whatever differs from them more than
the clouds do, and hangs together with what is no sky, is none either.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.rendering.plates import filled
from vivant.rendering.touching import touching
from vivant.rendering.widely import widely

Bools = NDArray[np.bool_]
AWAY = 1 / 64
"""Short sides from what is no sky at which the sky is surely itself."""
REACH = 1 / 5
"""Short sides from what is no sky within which something may hang on to it."""
LEAST = 0.02
"""Share of the picture that must be surely sky."""
PLAIN, USUAL = 0.035, 2.2
"""How far a colour (0..1) is from the sky's that may be another thing's: as much, and so many times
what is usual around there."""
WIDE, SMOOTH = 1 / 16, 1 / 60
"""Short sides over which the sky's colours are taken to be even: at first, and once what is
foreign to it is left out."""
AROUND = 1 / 10
"""Short sides around a place in which the usual is measured."""
RISE = 0.6, 1.2
"""Of such differences at which something begins to be no sky, and is none."""
PALER = 0.6
"""How far a colour is from the sky's, to how far it is from what stands beside, under which it is
the sky's."""
SKY, OTHER = 0.1, 0.3


def before_sky(work: Floats, sky: Floats) -> Floats:
    """The sky's alpha ``[h, w]`` 0..1 of a picture ``work`` ``[h, w, 3]`` 0..1, without what stands
    before it."""
    short = min(sky.shape)
    other = sky < OTHER
    away = cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, 3)
    sure = ((sky > 0.97) & (away > AWAY * short)).astype(np.float32)
    if not other.any() or sure.mean() < LEAST:
        return sky
    wide = _apart(work, sure, WIDE * short)
    sure *= _unlike(wide, sure) < 1  # not even where nobody said so
    apart = _apart(work, sure, SMOOTH * short)
    score = _unlike(apart, sure) * _liker(apart, work, other, short)
    foreign = (score > 1) & (sky > SKY) & (away < REACH * short)
    hanging = touching(foreign, other)
    if not hanging.any():
        return sky
    beside = cv2.dilate(hanging.astype(np.float32), np.ones((3, 3)))
    taken = np.clip((score - RISE[0]) / (RISE[1] - RISE[0]), 0, 1) * beside
    return np.asarray(np.minimum(sky, 1 - taken), np.float32)


def _unlike(apart: Floats, sure: Floats) -> Floats:
    """How far colours are ``apart`` ``[h, w]`` from the sky's; 1 = just more than is usual where
    it is ``sure``."""
    spread = AROUND * min(sure.shape)
    usual = widely(apart**2 * sure, spread)
    usual = np.sqrt(usual / np.maximum(widely(sure, spread), 1e-3))
    return np.asarray(apart / (PLAIN + USUAL * usual), np.float32)


def _liker(apart: Floats, work: Floats, other: Bools, short: int) -> Floats:
    """0 where a colour, ``apart`` from the sky's, is far more like it than like that of what stands
    beside, else 1: the sky pales towards a skyline."""
    inner = cv2.erode(other.astype(np.float32), np.ones((5, 5)))
    beside = _apart(work, inner, SMOOTH * short) if inner.any() else np.zeros_like(apart)
    share = apart / (beside + np.float32(1e-3))
    return np.asarray(np.clip(share / PALER, 0, 1), np.float32)


def _apart(work: Floats, sure: Floats, smooth: float) -> Floats:
    """How far colours are from those that are sure, continued and smoothed."""
    even = widely(filled(work * sure[..., None], sure), smooth)
    return np.asarray(np.sqrt(((work - even) ** 2).sum(axis=2)), np.float32)


def given(others: list[Floats], sky: Floats, lost: Floats) -> list[Floats]:
    """Alphas ``[h, w]`` of other kinds, with what the ``sky`` has ``lost`` ``[h, w]`` given to the
    one that is nearest."""
    there = sky < OTHER
    if not others or not lost.any() or not there.any():
        return others
    _, source = cv2.distanceTransformWithLabels(
        (~there).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    most = np.zeros(int(source.max()) + 1, np.intp)
    most[source[there]] = np.argmax(others, axis=0)[there]
    nearest = most[source]
    return [
        np.asarray(np.clip(alpha + lost * (nearest == number), 0, 1), np.float32)
        for number, alpha in enumerate(others)
    ]
