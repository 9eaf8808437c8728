"""Petals that the eyes did not take for a plant: left out of all kinds, or taken for an animal.

What is vivid all over, small, and has plants on nearly all sides is a flower. Skin, fur and clothes
with whoever wears them are never as vivid throughout.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Plane
from vivant.rendering.disc import disc
from vivant.scene.mattes import Mattes

Bools = NDArray[np.bool_]
WORK = 360
"""Short side in pixels at which they are looked for."""
VIVID = {"": 24.0, "being": 42.0}
"""Mean chroma (Lab) from which what no kind claims, and what was taken for an animal, are
petals."""
AMONG = {"": 0.5, "being": 0.75}
"""Share of plants around them."""
MOST = 0.04
"""Largest share of the picture."""
AROUND = 0.025
"""Short sides around them that are looked at."""
GREEN = 0.1
"""Share of the picture that must be plants."""


def with_petals(mattes: Mattes, pixels: Frame) -> Mattes:
    """The mattes of a picture ``[H, W, 3]`` of their size, its petals among its plants."""
    plant = mattes.of("plant")
    if plant.mean() < GREEN * 255:
        return mattes
    width, height = mattes.size
    scale = min(1.0, WORK / min(width, height))
    size = max(8, round(width * scale)), max(8, round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    chroma = np.linalg.norm(cv2.cvtColor(small, cv2.COLOR_RGB2LAB)[..., 1:], axis=2)
    total = np.sum([one.astype(np.uint16) for one in mattes.alpha.values()], axis=0)
    claimed = np.asarray(np.minimum(total, 255), np.uint8)
    green = cv2.resize(plant, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    alpha = dict(mattes.alpha)
    for kind, plane in (("", 255 - claimed), ("being", mattes.of("being"))):
        share = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
        found = _petals(share > 127, chroma.astype(np.float32), green, kind)
        if not found.any():
            continue
        near = cv2.dilate(found.astype(np.uint8), np.ones((3, 3), np.uint8))
        wide = cv2.resize(near, mattes.size, interpolation=cv2.INTER_NEAREST) > 0
        alpha["plant"] = _added(alpha["plant"], plane, wide)
        if kind:
            alpha[kind] = np.where(wide, np.uint8(0), plane)
    return Mattes(alpha, mattes.size)


def _added(plant: Plane, plane: Plane, where: Bools) -> Plane:
    return np.asarray(np.where(where, cv2.add(plant, plane), plant), np.uint8)


def _petals(there: Bools, chroma: Floats, green: Floats, kind: str) -> Bools:
    """Which parts of what is ``there`` ``[h, w]`` are petals."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(there.astype(np.uint8))
    out = np.zeros(there.shape, bool)
    reach = disc(max(2.0, AROUND * min(there.shape)))
    pad = reach.shape[0]
    for number in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[number])
        if area > MOST * there.size or area < 9:
            continue
        box = (slice(max(0, y - pad), y + h + pad), slice(max(0, x - pad), x + w + pad))
        own = labels[box] == number
        ring = (cv2.dilate(own.astype(np.uint8), reach) > 0) & ~own & ~there[box]
        if not ring.any() or float(green[box][ring].mean()) < AMONG[kind]:
            continue
        if float(chroma[box][own].mean()) > VIVID[kind]:
            out[box] |= own
    return out
