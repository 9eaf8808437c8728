"""A sky as an endless band: cloud behind what stands before it, and more of it beyond the edges.

Detail (what is finer than a seventh of the short side) is taken from elsewhere in the same sky, at
the same height, with equal variance; the base, its glow and gradient, is continued smoothly.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.rendering.disc import disc
from vivant.rendering.plates import filled
from vivant.rendering.touching import touching
from vivant.rendering.widely import widely

COARSE = 64
"""Short side in pixels at which the sky's light is looked at."""
GLOW, ROUNDS, STANDS_OUT = (1 / 4, 1 / 10), 3, 25.0
"""The sky's light is even over so many short sides across and down; found in so many rounds, in
which what is so many levels away from it counts half."""
STEPS = (0.13, -0.13, 0.29, -0.29, 0.43, -0.43, 0.61, -0.61)
"""Where detail is looked for, in widths of the box."""
RIM = 0.03
"""Over so many short sides inside of an edge detail is trusted less where it is lent."""


class Rim(NamedTuple):
    """A rim along the sky's edges that stays: its ``width`` in short sides, in so many ``rings``;
    the length ``along`` the edge over which it is alike; the short side in pixels ``seen_at``."""

    width: float
    rings: int
    along: float
    seen_at: int


RIMS = (Rim(0.12, 12, 0.1, 110), Rim(0.03, 8, 0.06, 330))
"""The wide one first, then what is narrow in it."""
OVERLAP = 0.08
"""Over so many short sides beyond an edge the detail there gives way to that of other places."""
ENOUGH = 0.4
"""Where less than so much of a row is sky, less of it is lent: copies of few things would show."""
THIN, DARKER = 50, 10
"""What is narrower than the short side divided by the first, and darker than the sky around it by
so many levels, stands before it."""
HANGS = 0.006
"""Short sides over which it hangs together with what is no sky."""
MORE = 0.8
"""Width of the sky that is added beyond the edge, in widths of the box."""
SEAM = 0.06
"""Width of its seams, in widths of the box."""


def base_of(texture: Frame, short: float) -> Floats:
    """What stays: the sky's glow and gradient, ``[h, w, 3]``. Clouds that stand out of it are left
    out of the mean (a few rounds of Cauchy weights), so that none leaves a pale shape behind."""
    h, w = texture.shape[:2]
    scale = min(1.0, COARSE / short)
    size = max(2, round(w * scale)), max(2, round(h * scale))
    small = cv2.resize(texture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    across, down = (max(0.5, short * part * scale) for part in GLOW)
    left, top = min(size[0] - 1, round(2.5 * across)), min(size[1] - 1, round(2.5 * down))
    # continued as an odd function, so that a gradient has no detail at the edge
    wide = np.pad(small, ((top, top), (left, left), (0, 0)), "reflect", reflect_type="odd")
    known = np.ones(wide.shape[:2], np.float32)
    for _ in range(ROUNDS):
        mean = cv2.GaussianBlur(wide * known[..., None], (0, 0), across, sigmaY=down)
        share = cv2.GaussianBlur(known, (0, 0), across, sigmaY=down)
        smooth = mean / np.maximum(share, 1e-3)[..., None]
        apart = np.abs(wide - smooth).max(axis=2)
        known = (1 / (1 + (apart / STANDS_OUT) ** 2)).astype(np.float32)
    smooth = smooth[top:-top, left:-left]
    return np.asarray(cv2.resize(smooth, (w, h), interpolation=cv2.INTER_CUBIC), np.float32)


def clouded(texture: Frame, base: Floats, sure: Floats, lent: Floats, short: float) -> Floats:
    """Detail ``[h, w, 3]`` of the whole box: the sky's own where it is ``sure``, elsewhere that of
    other places at the same height, of what may be ``lent``."""
    detail = (texture - base) * sure[..., None]
    if lent.all():
        return np.asarray(detail, np.float32)
    if not sure.all():
        for rim in RIMS:
            detail = _without_halo(detail, sure, short, rim)
    deep = cv2.distanceTransform(lent.astype(np.uint8), cv2.DIST_L2, 3) / (RIM * short)
    deep = np.clip(deep, 0, 1)
    total, squares = np.zeros_like(detail), np.full(sure.shape, 1e-4, np.float32)
    left = np.ones(sure.shape, np.float32)
    for step in STEPS:
        by = round(step * sure.shape[1])
        share = np.roll(deep, by, 1) * left
        total += np.roll(detail, by, 1) * share[..., None]
        squares += share * share
        left *= 1 - np.minimum(1, share)
    beyond = cv2.distanceTransform((sure < 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    own = np.clip(1 - beyond / (OVERLAP * short), 0, 1)
    near = filled(detail, sure) * own[..., None]
    filler = total / np.sqrt(squares)[..., None] * np.sqrt(1 - own * own)[..., None]
    many = np.clip(deep.mean(1) / ENOUGH, 0, 1) ** 2
    filler *= (np.clip(squares * 4, 0, 1) * many[:, None])[..., None]
    return np.asarray(np.where(sure[..., None] > 0, detail, near + filler), np.float32)


def thin(pixels: Frame, sure: Floats, short: float) -> Floats:
    """What stands dark and thin before a sky ``[h, w, 3]`` where it is ``sure`` and hangs together
    with what is not: twigs, masts and leaves, which no cloud takes along; ``[h, w]`` 0 or 1."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    kernel = disc(max(3, round(short / THIN)) // 2)
    dark = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, kernel).astype(np.float32)
    sigma = short / 10
    squares, known = (widely(v, sigma) for v in (dark * dark * sure, sure))
    usual = np.sqrt(squares / np.maximum(known, 1e-2))
    found = (dark > DARKER + 2 * usual) & (sure > 0)
    around = 2 * max(2, round(HANGS * short)) + 1
    other = cv2.dilate((sure == 0).astype(np.uint8), np.ones((around, around), np.uint8)) > 0
    kept = touching(found, other).astype(np.uint8)
    return cv2.dilate(kept, np.ones((5, 5), np.uint8)).astype(np.float32)


def _without_halo(detail: Floats, sure: Floats, short: float, seen: Rim) -> Floats:
    """Detail without what goes along with every edge of the sky: a bright or dark rim, which
    belongs to what stands there and must not drift off."""
    h, w = sure.shape
    scale = min(1.0, seen.seen_at / min(h, w))
    size = max(8, round(w * scale)), max(8, round(h * scale))
    away = cv2.distanceTransform(sure.astype(np.uint8), cv2.DIST_L2, 3) / short
    sums, ways = (
        cv2.resize(values, size, interpolation=cv2.INTER_AREA)
        for values in (detail * sure[..., None], np.dstack([away * sure, sure]))
    )
    known = ways[..., 1:]
    small = sums / np.maximum(known, 1e-3)
    place = ways[..., 0] / np.maximum(known[..., 0], 1e-3) / seen.width
    place = cv2.GaussianBlur(place, (0, 0), 1.5)
    rim = np.zeros_like(small)
    for ring in range(seen.rings):  # the mean along each line of equal distance, near to each place
        own = np.clip(1 - np.abs(place * seen.rings - ring), 0, 1) * (known[..., 0] > 0.02)
        both = np.dstack([small * own[..., None], own])
        mean = widely(both, seen.along * short * scale)
        rim += own[..., None] * mean[..., :3] / np.maximum(mean[..., 3:], 1e-3)
    rim *= np.clip(2 - 2 * place, 0, 1)[..., None]
    rim = cv2.GaussianBlur(rim, (0, 0), 1.0)
    rim = filled(rim * (known > 0.02), (known[..., 0] > 0.02).astype(np.float32))
    wide = cv2.resize(rim, (w, h), interpolation=cv2.INTER_CUBIC)
    return np.asarray(detail - wide * sure[..., None], np.float32)


def endless(detail: Floats, added: float = MORE, seam: float = SEAM) -> Floats:
    """Detail ``[h, w, 3]`` with more of the same to its right, ``[h, w + more, 3]``, so that its
    right end goes over into its left one."""
    w = detail.shape[1]
    more, blend = max(4, round(added * w)), max(2, round(seam * w))
    out = detail[:, (w - more) // 2 : (w - more) // 2 + more].copy()
    into = np.linspace(0, 1, blend, dtype=np.float32)[None, :, None]
    even = np.sqrt(into**2 + (1 - into) ** 2)
    for part, edge in ((out, detail[:, ::-1]), (out[:, ::-1], detail)):
        part[:, :blend] = (edge[:, :blend] * (1 - into) + part[:, :blend] * into) / even
    return np.asarray(np.concatenate([detail, out], axis=1), np.float32)


def heightened(band: Floats, pad: int, seam: float = 2 * SEAM) -> Floats:
    """An endless band ``[h, w, 3]`` with ``pad`` rows of more above and below: its mirror image,
    which goes over into that of another part of it, or what comes in would show the mirror."""
    away = np.arange(1, pad + 1, dtype=np.float32) / max(1.0, seam * len(band))
    into = np.minimum(1, away)[:, None, None]
    ends = []
    for edge in (band[1 : pad + 1], band[-2 : -pad - 2 : -1]):
        other = np.roll(edge, band.shape[1] // 2, axis=1)
        ends.append(edge + (other - edge) * into)
    return np.concatenate([ends[0][::-1], band, ends[1]])
