"""A picture cut into slices, from far to near, each whole behind those in front of it.

Within a slice disparity is continuous, so that ground runs on from one to the next; where near
hides far, the far slice is continued: its outline and depth smoothly, its texture by
`vivant.rendering.space.inpaint`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.rendering.disc import disc
from vivant.rendering.plates import filled
from vivant.rendering.space.inpaint import SHORT, behind
from vivant.rendering.space.relief import Relief

Bools = NDArray[np.bool_]
Box = tuple[slice, slice]
NODE = 6.0
"""Pixels between the nodes of disparity."""
OVER = 4
"""Nodes by which neighbouring slices lie over one another where one surface runs on."""
RIM = 1 / 300
"""Short sides by which what is near reaches beyond its matte: mixed colours go with it."""
LONELY = 1 / 180
"""Short sides from sure colours at which mixed ones are taken in their place."""
BESIDE = 0.02
"""Short sides of the neighbouring slice that are read as one's own where the ground runs on."""


@dataclass(frozen=True, eq=False)
class Slice:
    """One slice of a picture ``[H, W, 3]``: the ``box`` that holds it, there its ``colours``
    ``[h, w, 3]`` and ``alpha`` ``[h, w]`` 0..1, and ``own`` ``[h, w]`` 0..1, where it is what the
    picture shows; its ``disparity`` ``[rows, columns]`` over the whole picture."""

    box: Box
    colours: Frame
    alpha: Floats
    own: Floats
    disparity: Floats


def sliced(pixels: Frame, relief: Relief, reach: float, most: int = 4) -> tuple[Slice, ...]:
    """The slices of a picture ``[H, W, 3]``, from far to near; ``reach`` is how far, in short
    sides, the camera may look behind an edge."""
    shape = (pixels.shape[0], pixels.shape[1])
    rim = max(1, round(RIM * min(shape)))
    edges = relief.edges(shape, rim + 1)
    nothing, everything = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    fronts = [_widened(relief.nearer(t, shape), edges, rim) for t in relief.thresholds(most)]
    cover = [everything, *fronts, nothing]
    out = []
    for front, nearer in pairwise(cover):
        made = _slice(pixels, relief, front, np.minimum(nearer, front), edges, reach)
        if made is not None:
            out.append(made)
    return tuple(out)


def _widened(cover: Floats, edges: Bools, rim: int) -> Floats:
    """What is near, with the mixed colours at its edges; unchanged where the ground runs on."""
    wide = cv2.GaussianBlur(cv2.dilate(cover, disc(rim)), (0, 0), 0.6 * rim)
    return np.where(edges, np.maximum(cover, wide), cover)


def _slice(
    pixels: Frame, relief: Relief, front: Floats, nearer: Floats, edges: Bools, reach: float
) -> Slice | None:
    short = min(pixels.shape[:2])
    own = np.clip(front - nearer, 0, 1)
    if own.max() < 0.5:
        return None
    runs_on = _runs_on(own, edges)
    covers = _within(own > 0.02, reach * short)
    wide = cv2.resize(runs_on.astype(np.float32), own.shape[::-1])
    if front.min() == 1:  # nothing lies behind the farthest
        alpha = front
    else:
        outline = _outline(front, nearer) if nearer.any() else front
        alpha = np.where(covers, np.maximum(outline, wide * nearer), 0).astype(np.float32)
    known = _known(own, nearer, edges, wide > 0.9, short, between=bool(front.min() < 1))
    if not known.any():
        return None
    box = _box(alpha > 0.004, 2)
    colours = behind(pixels[box], known[box], (covers & (alpha > 0.004))[box], short)
    return Slice(box, colours, alpha[box], own[box], _disparity(relief, own, runs_on))


def _within(there: Bools, reach: float) -> Bools:
    """Pixels ``[H, W]`` no farther than ``reach`` from some that are there."""
    away = cv2.distanceTransform((~there).astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(away <= max(1.0, reach))


def _outline(whole: Floats, hidden: Floats) -> Floats:
    """Where a slice is, ``[H, W]``: as seen, and behind what is nearer as beside it."""
    scale = min(1.0, SHORT / min(whole.shape))
    size = (max(4, round(whole.shape[1] * scale)), max(4, round(whole.shape[0] * scale)))
    seen = cv2.resize(1 - hidden, size, interpolation=cv2.INTER_AREA)
    seen = np.where(seen > 0.95, seen, 0).astype(np.float32)
    there = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
    if not seen.any():
        return whole
    guess = filled((there * seen)[..., None], seen)[..., 0]
    wide = cv2.resize(guess, whole.shape[::-1], interpolation=cv2.INTER_LINEAR)
    behind = np.clip((wide - 0.4) / 0.2, 0, 1)
    return np.asarray(whole - hidden + behind * hidden, np.float32)


def _known(
    own: Floats, nearer: Floats, edges: Bools, same: Bools, short: int, *, between: bool
) -> Bools:
    """Pixels ``[H, W]`` whose colours are the slice's: its own, and a little of the next one where
    it is the ``same`` surface that runs on; not where something nearer is mixed in, unless it is a
    sliver ``between`` near and far."""
    beside = edges & (cv2.dilate(nearer, disc(2)) > 0.02)
    inside = (own > 0.02) & ~beside
    if between:  # a sliver has no colours but those that are seen there
        inside |= (own > 0.02) & ~_within(inside, LONELY * short)
    wide = _within((own > 0.98) & ~beside, BESIDE * short)
    runs_on = wide & ~_within(edges, BESIDE * short)
    return np.asarray(inside | runs_on | (same & ~edges))


def _runs_on(own: Floats, edges: Bools) -> Bools:
    """Nodes at which a slice is whole, and those a little farther along the same surface, over no
    edge: there it lies where its neighbour does, so that the two do not gape."""
    nodes = _nodes(own.shape)
    blocked = cv2.resize(edges.astype(np.float32), nodes[::-1], interpolation=cv2.INTER_AREA) > 0
    blocked = cv2.dilate(blocked.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    whole = cv2.resize(own, nodes[::-1], interpolation=cv2.INTER_AREA) > 0.97
    inner = cv2.erode(whole.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    grown = inner | (whole & ~blocked)  # the rim at an edge lies between near and far
    for _ in range(OVER):
        wider = cv2.dilate(grown.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        grown = wider & (~blocked | grown)
    return np.asarray(grown if grown.any() else whole)


def _disparity(relief: Relief, own: Floats, runs_on: Bools) -> Floats:
    """Disparity of a slice on a grid of nodes, continued beyond what is seen of it."""
    far = relief.at(_nodes(own.shape))
    weight = runs_on.astype(np.float32)
    if not runs_on.any():
        weight = cv2.resize(own, runs_on.shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(filled((far * weight)[..., None], weight)[..., 0], np.float32)


def _nodes(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of the grid of nodes."""
    return max(4, round(shape[0] / NODE)), max(4, round(shape[1] / NODE))


def _box(there: Bools, margin: int) -> Box:
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    return tuple(  # type: ignore[return-value]
        slice(max(0, int(hit[0]) - margin), min(length, int(hit[-1]) + 1 + margin))
        for hit, length in zip((rows, columns), there.shape, strict=True)
    )
