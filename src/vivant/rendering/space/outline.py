"""Mattes of what lies at different depths: each pixel is one thing's, or two things' at an outline.

What is half one thing and half another over a wide area, or a little of a third where two meet, is
seen twice as soon as the camera moves.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Plane

Bools = NDArray[np.bool_]
RIM = 1 / 54
"""Short sides on either side of an outline in which a matte may be soft."""
SPECK = 1 / 60
"""Short sides of a square as large as the smallest part of a matte that counts."""


def crisp(matte: Plane) -> Plane:
    """A matte ``[H, W]`` (255 = its own) that is soft along its outline only, and has neither
    specks nor small holes."""
    short = min(matte.shape)
    core = ~_without_specks(~_without_specks(matte > 127, short), short)
    if not core.any():
        return np.zeros_like(matte)
    inside, outside = (
        cv2.distanceTransform(part.astype(np.uint8), cv2.DIST_L2, 3) for part in (core, ~core)
    )
    soft = np.maximum(inside, outside) <= RIM * short
    return np.where(soft, matte, np.where(core, 255, 0)).astype(np.uint8)


def shared(mattes: Sequence[Plane]) -> list[Plane]:
    """Mattes ``[H, W]`` that everywhere sum to 255, in the given proportions; where all are
    nothing, the last one is everything."""
    total = np.sum(mattes, axis=0, dtype=np.float32)
    scale = 255 / np.maximum(total, 1)
    left = np.full(total.shape, 255, np.int16)
    out = []
    for matte in mattes[:-1]:
        part = np.minimum(np.round(matte * scale).astype(np.int16), left)
        left -= part
        out.append(part.astype(np.uint8))
    return [*out, left.astype(np.uint8)]


def _without_specks(there: Bools, short: int) -> Bools:
    """What is there ``[H, W]`` without parts of hardly any size."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(there.astype(np.uint8), connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= (SPECK * short) ** 2
    large[0] = False
    return np.asarray(large[labels])
