"""Colours at an outline that are neither near's nor far's: they go with what is near.

A thing out of focus, hair, the bright rim that lenses and sharpening leave: around an outline the
picture is a mixture. Left in the far slice, it stays behind as a line as soon as the thing moves
away. Here each pixel beside an outline is compared with what lies farther out and farther in, both
continued: what is off the far's colours by more than is usual there, towards those of the near (or
a little away from them), is mixed.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.rendering.disc import disc
from vivant.rendering.plates import filled
from vivant.rendering.touching import touching

Bools = NDArray[np.bool_]
WORK = 480
"""Short side in pixels at which it is looked for, at most."""
REACH = 1 / 36
"""Short sides from an outline within which colours may be mixed."""
APART, USUAL = 5.0, 2.5
"""Levels by which a mixed colour is off the far's, and so many times what is usual there."""
SHARE = -0.25, 0.06
"""Share of the near's colour in a mixture: below nothing for a rim, from the second on for a
blend."""
ASIDE, LINE = 7.0, 0.3
"""Levels by which a mixture is off the line between both colours at most, or this share of how far
it is from the far's."""
LEAST = 12.0
"""Levels by which near and far differ at least."""


def mixed_at(pixels: Frame, cover: Floats, edges: Bools) -> Bools:
    """Where ``[H, W]`` a picture ``[H, W, 3]`` is mixed beside what is near (``cover`` ``[H, W]``
    0..1), along the outlines at which depth jumps (``edges`` ``[H, W]``)."""
    height, width = cover.shape
    scale = min(1.0, WORK / min(height, width))
    size = max(8, round(width * scale)), max(8, round(height * scale))
    work = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    near = cv2.resize(cover, size, interpolation=cv2.INTER_AREA) > 0.5
    jumps = cv2.resize(edges.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    found = _mixed(work, near, np.asarray(jumps))
    if not found.any():
        return np.zeros(cover.shape, bool)
    return np.asarray(cv2.resize(found.astype(np.float32), (width, height)) > 0.25)


def _mixed(work: Floats, near: Bools, jumps: Bools) -> Bools:
    reach = max(2, round(REACH * min(near.shape)))
    around = cv2.dilate(jumps.astype(np.uint8), disc(reach)) > 0
    wide = cv2.dilate(near.astype(np.uint8), disc(reach)) > 0
    inner = cv2.erode(near.astype(np.uint8), disc(max(2, reach // 3))) > 0
    band = wide & ~near & around
    beyond = ~wide
    if not band.any() or not beyond.any() or not inner.any():
        return np.zeros(near.shape, bool)
    far, close = (
        filled(work * part[..., None], part.astype(np.float32)) for part in (beyond, inner)
    )
    off, way = work - far, close - far
    length = np.maximum(np.linalg.norm(way, axis=2), 1e-3)
    share = (off * way).sum(axis=2) / length**2
    size = np.linalg.norm(off, axis=2)
    aside = np.linalg.norm(off - share[..., None] * way, axis=2)
    like = (aside < np.maximum(ASIDE, LINE * size)) & (length > LEAST)
    between = ((share > SHARE[1]) & (share < 1.3)) | ((share < 0) & (share > SHARE[0]))
    found = band & like & between & (size > APART + USUAL * _usual(work, beyond, reach))
    return touching(np.asarray(found), near)


def _usual(work: Floats, beyond: Bools, reach: int) -> Floats:
    """How much colours vary around each place, ``[h, w]`` levels, where it is surely far."""
    own = beyond.astype(np.float32)
    mean = _mean(work, own, reach)
    varied = np.linalg.norm(work - mean, axis=2) ** 2
    return np.asarray(np.sqrt(_mean(varied[..., None], own, 2 * reach)[..., 0]), np.float32)


def _mean(values: Floats, own: Floats, sigma: float) -> Floats:
    """The mean over what is of its own around each place, ``[h, w, c]``."""
    total = cv2.GaussianBlur(values * own[..., None], (0, 0), sigma)
    share = cv2.GaussianBlur(own, (0, 0), sigma)
    return np.asarray(total.reshape(values.shape) / np.maximum(share, 1e-3)[..., None], np.float32)
