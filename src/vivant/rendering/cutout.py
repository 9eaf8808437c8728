"""A thing cut out whole, with what belongs to it: its mirror image in water, its shadow.

A matte seen by kinds misses tails and legs; colours find them again (GrabCut: Rother, Kolmogorov
and Blake, SIGGRAPH 2004, as OpenCV has it), within reach of the matte.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Plane
from vivant.rendering.disc import disc
from vivant.rendering.guided import guided_filter

SHORT = 240
"""Short side in pixels at which colours are looked at."""
REACH = 0.35
"""How far beyond its matte a thing may go on, in roots of its area."""
CORE = 0.06
"""How far inside the matte a thing is surely itself, in the same."""
ROUNDS = 4
MOST_GROWN = 1.6
"""Area over the matte's from which the colours have run away, and the matte stands alone."""
SOFT = 1e-4
LIKE = 0.3
"""Correlation from which what is below a thing is its mirror image."""
DARKER = 0.82
"""Brightness over that of the ground around from which it lies in the thing's shadow."""
LEAST = 0.03
"""Of the thing's area that its shadow has at least."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Cutout:
    """``matte`` ``[H, W]`` 0..1 of a thing and what goes with it, ``foot`` (x, y) pixels, where it
    stands, and whether its ``reflection`` and its ``shadow`` were found."""

    matte: Floats
    foot: tuple[float, float]
    reflection: bool
    shadow: bool


def cut_out(pixels: Frame, matte: Plane, water: Plane, ground: Plane) -> Cutout:
    """A thing of a picture ``[H, W, 3]`` by its ``matte`` ``[H, W]`` 0..255, and what belongs to it
    on the mattes of ``water`` and ``ground``."""
    height, width = matte.shape
    scale = min(1.0, SHORT / min(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    seen, wet, firm = (
        cv2.resize(plane, size, interpolation=cv2.INTER_AREA) > 127
        for plane in (matte, water, ground)
    )
    if not seen.any():
        return Cutout(np.zeros(matte.shape, np.float32), (width / 2, height / 2), False, False)
    whole = _grown(small, seen)
    foot = _foot(whole)
    mirrored = _mirrored(small, whole, wet, foot[1])
    shaded = _shaded(small, whole | mirrored, firm, foot[1])
    own = _enlarged(whole | mirrored | shaded, small, (width, height))
    own = np.maximum(own, np.where(_filled(matte > 127), matte / np.float32(255), 0))
    at = (foot[0] * width / size[0], foot[1] * height / size[1])
    return Cutout(np.asarray(own, np.float32), at, bool(mirrored.any()), bool(shaded.any()))


def _grown(small: Frame, seen: Bools) -> Bools:
    """All that is of the thing by its colours, and its matte with its holes filled."""
    side = float(np.sqrt(seen.sum()))
    marks = np.full(seen.shape, cv2.GC_BGD, np.uint8)
    marks[cv2.dilate(seen.astype(np.uint8), disc(REACH * side)) > 0] = cv2.GC_PR_BGD
    marks[seen] = cv2.GC_PR_FGD
    marks[cv2.erode(seen.astype(np.uint8), disc(CORE * side)) > 0] = cv2.GC_FGD
    filled = _filled(seen)
    if (marks == cv2.GC_BGD).sum() < seen.sum() / 4:
        return filled
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    image = np.ascontiguousarray(small[..., ::-1])
    cv2.grabCut(image, marks, None, *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    found = (marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)
    if not found.any() or found.sum() > MOST_GROWN * filled.sum():
        return filled
    return _hanging_together(found | filled, filled)


def _hanging_together(found: Bools, seen: Bools) -> Bools:
    """Parts that touch what was seen."""
    _, labels = cv2.connectedComponents(found.astype(np.uint8))
    return np.asarray(found & np.isin(labels, np.unique(labels[seen])))


def _filled(seen: Bools) -> Bools:
    """Without holes: what the rest of the picture does not reach is the thing's."""
    around = cv2.copyMakeBorder((~seen).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    _, labels = cv2.connectedComponents(around, connectivity=4)
    return np.asarray(labels[1:-1, 1:-1] != labels[0, 0])


def _foot(whole: Bools) -> tuple[float, float]:
    """Middle of the lowest rows: columns, row."""
    rows, columns = np.nonzero(whole)
    low = float(np.percentile(rows, 99))
    return float(np.median(columns[rows >= low - 1])), low


def _mirrored(small: Frame, whole: Bools, wet: Bools, row: float) -> Bools:
    """Where the thing's mirror image lies in water below its foot; nowhere if it is not like it."""
    height = whole.shape[0]
    line = min(height - 1, round(row))
    rows = np.arange(line + 1, min(height, 2 * line + 1))
    nothing = np.zeros_like(whole)
    if len(rows) < 4:
        return nothing
    above = 2 * line - rows
    image = nothing.copy()
    image[rows] = whole[above] & wet[rows]
    if image.sum() < LEAST * whole.sum():
        return nothing
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    mirror = grey.copy()
    mirror[rows] = grey[above]
    # the water beside is compared as well: a mirror image differs from it as the thing does
    around = (cv2.dilate(image.astype(np.uint8), disc(4)) > 0) & wet
    pair = np.stack([grey[around], mirror[around]])
    if pair.std(axis=1).min() < 1 or float(np.corrcoef(pair)[0, 1]) < LIKE:
        return nothing
    return image


def _shaded(small: Frame, whole: Bools, firm: Bools, row: float) -> Bools:
    """Ground at the thing's foot that is darker than the ground around."""
    side = float(np.sqrt(whole.sum()))
    nothing = np.zeros_like(whole)
    rows = np.arange(whole.shape[0])[:, None]
    near = cv2.dilate(whole.astype(np.uint8), disc(0.5 * side)) > 0
    place = near & firm & ~whole & (rows > row - 0.25 * side)
    if place.sum() < LEAST * whole.sum():
        return nothing
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (0, 0), 1.5)
    dark = place & (grey < DARKER * float(np.median(grey[place])))
    dark = cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, disc(1)) > 0
    touching = _hanging_together(
        dark | whole, (cv2.dilate(whole.astype(np.uint8), disc(1)) > 0) & (dark | whole)
    )
    shaded = touching & dark
    return np.asarray(shaded if shaded.sum() > LEAST * whole.sum() else nothing)


def _enlarged(whole: Bools, small: Frame, size: tuple[int, int]) -> Floats:
    guide = small.astype(np.float32) / np.float32(255)
    soft = guided_filter(guide, whole.astype(np.float32), 3, SOFT)
    soft *= cv2.dilate(whole.astype(np.float32), np.ones((5, 5)))
    wide = cv2.resize(soft.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip((wide - 0.2) / 0.6, 0, 1), np.float32)
