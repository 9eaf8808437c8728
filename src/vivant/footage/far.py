"""Motions beyond the reach of dense search: what moves farther than its own size.

Dense inverse search goes from coarse to fine, and what is gone at the coarsest level is lost. Where
both ways disagree, tiles of the frame are looked for in the other one, and back (normalised cross-
correlation); what is found starts the dense search anew, and is taken where it then explains the
other frame clearly better.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.footage.flow import BothWays, both_ways, checked, fetched, flow, grey

SHORT, TILE, REACH = 112, 12, 36
"""Short side at which tiles are looked for; their side, and how far they may have gone, pixels."""
UNSURE = 0.35
"""Mean sureness of a tile up to which it is looked for elsewhere."""
LEAST_TEXTURE = 6.0
ALIKE, HOME, NEWS = 0.8, 2, 2.0
"""Correlation from which a tile is found; pixels by which the way back may miss it; and by which a
match must differ from what is known."""
BETTER, MARGIN = 0.7, 1.0
"""Share of the unexplained difference, less so many levels, that must be left at most."""
AROUND = 4.0


def reaching(a: Frame, b: Frame) -> BothWays:
    """As `both_ways` for frames ``[H, W, 3]`` that are small already, with far motions."""
    known = both_ways(a, b)
    forward = _completed(a, b, known.forward, known.sure_a)
    backward = _completed(b, a, known.backward, known.sure_b)
    return checked(a, b, forward, backward)


def _completed(a: Frame, b: Frame, motion: Floats, sure: Floats) -> Floats:
    """``motion`` from a to b, with another one where that explains b clearly better."""
    start = _started(a, b, motion, sure)
    if start is None:
        return motion
    dense = flow(a, b, start=start)
    left, after, before = (_unexplained(a, b, m) for m in (start, dense, motion))
    best = np.where((left < after)[..., None], start, dense)
    use = np.minimum(left, after) < BETTER * before - MARGIN
    use = cv2.morphologyEx(use.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    return np.asarray(np.where(use[..., None] > 0, best, motion), np.float32)


def _unexplained(a: Frame, b: Frame, motion: Floats) -> Floats:
    difference = np.abs(a.astype(np.float32) - fetched(b, motion)).mean(axis=2)
    return np.asarray(cv2.GaussianBlur(difference, (0, 0), AROUND), np.float32)


@dataclass(frozen=True, eq=False)
class _Small:
    """Both frames in grey, the motion known so far and how sure it is, all on the tiles' grid."""

    a: Frame
    b: Frame
    motion: Floats
    sure: Floats


def _started(a: Frame, b: Frame, motion: Floats, sure: Floats) -> Floats | None:
    """``motion`` with what tiles found in its place; None where they found nothing new."""
    h, w = a.shape[:2]
    scale = min(1.0, SHORT / min(h, w))
    size = (max(TILE, round(w * scale)), max(TILE, round(h * scale)))
    known = cv2.resize(motion, size, interpolation=cv2.INTER_AREA) * np.float32(scale)
    doubt = np.asarray(cv2.resize(sure, size, interpolation=cv2.INTER_AREA), np.float32)
    small = _Small(_reduced(a, size), _reduced(b, size), known, doubt)
    total, count = np.zeros_like(known), np.zeros(known.shape[:2], np.float32)
    for at, gone in _found(small):
        total[at] += gone
        count[at] += 1
    if not count.any():
        return None
    hit = count > 0
    known[hit] = total[hit] / count[hit][:, None]
    wide = cv2.resize(known, (w, h), interpolation=cv2.INTER_NEAREST)
    return np.asarray(wide / np.float32(scale), np.float32)


def _reduced(frame: Frame, size: tuple[int, int]) -> Frame:
    few = cv2.resize(grey(frame), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(few, (0, 0), 0.6), np.uint8)


def _found(small: _Small) -> Iterator[tuple[tuple[slice, slice], Floats]]:
    """Tiles that were found elsewhere, and how far they have gone, (x, y)."""
    h, w = small.a.shape
    for y in range(0, h - TILE + 1, TILE // 2):
        for x in range(0, w - TILE + 1, TILE // 2):
            at = slice(y, y + TILE), slice(x, x + TILE)
            if small.sure[at].mean() > UNSURE or small.a[at].std() < LEAST_TEXTURE:
                continue
            there, alike = _sought(small.a[at], small.b, x, y)
            if alike < ALIKE:
                continue
            column, row = there
            tile = small.b[row : row + TILE, column : column + TILE]
            home, _ = _sought(tile, small.a, column, row)
            gone = np.array([column - x, row - y], np.float32)
            news = np.linalg.norm(gone - small.motion[y + TILE // 2, x + TILE // 2]) >= NEWS
            if news and abs(home[0] - x) <= HOME and abs(home[1] - y) <= HOME:
                yield at, gone


def _sought(tile: Frame, frame: Frame, x: int, y: int) -> tuple[tuple[int, int], float]:
    """Column and row of the place in ``frame`` that is most like ``tile``, around x, y."""
    left, top = max(0, x - REACH), max(0, y - REACH)
    window = frame[top : y + TILE + REACH, left : x + TILE + REACH]
    _, alike, _, place = cv2.minMaxLoc(cv2.matchTemplate(window, tile, cv2.TM_CCOEFF_NORMED))
    return (left + place[0], top + place[1]), float(alike)
