"""Flower heads: what in a plant swings whole, about where it is held.

A head has another colour than the leaves, is compact, and stands on a stem. The wind that bends the
rest of the plant turns it about a pivot below it, petals and all, and its stem with it; around it
the turn dies away over a part of its width, so that nothing tears.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.rendering.disc import disc

UNLIKE = 20.0
"""How far (Lab, a and b) a head's colour is from that of the leaves, at least."""
VIVID = 22.0
"""Its least chroma (Lab)."""
LEAST, LARGEST = 0.018, 0.4
"""Its height and width in short sides, at least and at most."""
COMPACT = 0.62
"""Share of its convex hull that it fills, at least."""
LONG = 3.0
"""It is at most so many times as long as wide."""
STEM, THICK = 1.3, 0.18
"""Length of what is seen of its stem in its heights, half the width that goes with it in its
widths."""
FADES = 0.5
"""Over so many of its widths beside it the turn dies away."""
MOST = 60

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Head:
    """``own`` ``[rows, columns]`` where it is; ``weight`` ``[rows, columns]`` 0..1 how far each
    node goes with it; its ``middle`` and ``pivot`` x, y in nodes."""

    own: Bools
    weight: Floats
    middle: tuple[float, float]
    pivot: tuple[float, float]

    def turned(self, noise: Floats) -> Floats:
        """Ways ``[rows, columns, 2]`` of unit ``noise`` ``[rows, columns]`` as a turn about the
        pivot that takes the middle as far as the noise does in the mean."""
        rows, columns = noise.shape
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
        lever = self.pivot[1] - self.middle[1]
        turn = float(noise[self.own].mean()) / max(lever, 1.0)
        return np.asarray(np.dstack([self.pivot[1] - y, x - self.pivot[0]]) * turn, np.float32)


def heads_of(look: Frame, known: Floats, short: float) -> list[Head]:
    """The flower heads of a plant ``[rows, columns, 3]`` where it is ``known`` ``[rows, columns]``;
    ``short``: nodes in a short side."""
    lab = cv2.cvtColor(look.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    own = known > 0.5
    if own.sum() < 50:
        return []
    leaves = np.median(lab[own][:, 1:], axis=0)
    apart = np.linalg.norm(lab[..., 1:] - leaves, axis=2)
    vivid = np.linalg.norm(lab[..., 1:], axis=2)
    usual = float(np.median(apart[own]))
    found = own & (apart > UNLIKE + usual) & (vivid > VIVID)
    plane = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, disc(1))
    plane = cv2.morphologyEx(plane, cv2.MORPH_CLOSE, disc(1))
    count, labels, stats, middles = cv2.connectedComponentsWithStats(plane, connectivity=4)
    heads = []
    for number in np.argsort(-stats[:, cv2.CC_STAT_AREA]):
        if number == 0 or len(heads) == MOST:
            continue
        one = labels == number
        if _compact(one, stats[number], short):
            heads.append(_head(one, stats[number], middles[number]))
    return heads


def swung(ways: Floats, noise: Floats, heads: list[Head], along: Floats) -> Floats:
    """Ways ``[rows, columns, 2]`` of a wave with heads that turn whole; ``along``: how much of the
    noise goes right and down."""
    out = ways.copy()
    left = np.ones(noise.shape, np.float32)
    for head in heads:
        share = np.minimum(head.weight, left)[..., None]
        turned = head.turned(noise) * along[0]
        out += (turned - ways) * share
        left -= share[..., 0]
    return out


def _compact(own: Bools, stats: NDArray[np.int32], short: float) -> bool:
    w, h, area = (int(stats[k]) for k in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    if min(w, h) < LEAST * short or max(w, h) > LARGEST * short or max(w, h) > LONG * min(w, h):
        return False
    hull = cv2.convexHull(cv2.findNonZero(own.astype(np.uint8)))
    return area > COMPACT * (cv2.contourArea(hull) + cv2.arcLength(hull, True) / 2 + 1)


def _head(own: Bools, stats: NDArray[np.int32], middle: Floats) -> Head:
    w, h = int(stats[cv2.CC_STAT_WIDTH]), int(stats[cv2.CC_STAT_HEIGHT])
    foot = float(stats[cv2.CC_STAT_TOP] + h)
    pivot = float(middle[0]), foot + STEM * h
    body = own.astype(np.uint8)
    thick = max(1, round(THICK * w))
    stem = (round(float(middle[0])) - thick, round(foot) - 1), (
        round(float(middle[0])) + thick, round(pivot[1]))  # fmt: skip
    cv2.rectangle(body, *stem, 1, -1)
    away = cv2.distanceTransform(1 - body, cv2.DIST_L2, 3)
    fade = np.clip(1 - away / max(2.0, FADES * w), 0, 1)
    weight = np.asarray(fade * fade * (3 - 2 * fade), np.float32)
    return Head(own, weight, (float(middle[0]), float(middle[1])), pivot)
