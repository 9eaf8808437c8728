"""Water that can be none: what reaches the upper edge of a picture above its sky is sky, too.

Skies at night, with stars or an aurora, are easily taken for water.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Frame
from vivant.scene.aurora import aurora_in
from vivant.scene.mattes import Mattes

WIDE = 0.3
"""Share of the upper edge that such water has, at least."""
BELOW = 0.04
"""Share of the height that sky has below it, at least, and of the columns where it has."""
COLUMNS = 0.5
SEAM = 0.05
"""What parts the two is narrower than so many short sides."""


def righted(mattes: Mattes, pixels: Frame) -> Mattes:
    """The mattes of a picture ``[H, W, 3]`` of their size, its sky taken for sky."""
    water, sky = mattes.of("water"), mattes.of("sky")
    _, parts = cv2.connectedComponents((water > 127).astype(np.uint8))
    above = np.zeros(water.shape, bool)
    for number in np.unique(parts[0]):
        own = parts == number
        if number == 0 or own[0].mean() < WIDE:
            continue
        alone = np.where(own, water, np.uint8(0))
        if _over(own, sky > 127) or aurora_in(pixels, alone):
            above |= own
    if not above.any():
        return mattes
    near = cv2.dilate(above.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    taken = np.where(near, water, np.uint8(0))
    whole = cv2.add(sky, taken)
    wide = round(SEAM * min(sky.shape)) | 1
    joined = cv2.morphologyEx(whole, cv2.MORPH_CLOSE, np.ones((wide, wide), np.uint8))
    others = [alpha for kind, alpha in mattes.alpha.items() if kind not in ("sky", "water")]
    claimed = np.sum([alpha.astype(np.uint16) for alpha in others], axis=0) if others else 0
    whole = np.minimum(np.maximum(whole, joined), 255 - np.minimum(claimed, 255)).astype(np.uint8)
    left = np.minimum(water - taken, 255 - whole).astype(np.uint8)
    return Mattes({**mattes.alpha, "sky": whole, "water": left}, mattes.size)


def _over(own: NDArray[np.bool_], sky: NDArray[np.bool_]) -> bool:
    """Whether most of what is seen at the upper edge has sky below it."""
    lowest = own.shape[0] - 1 - own[::-1].argmax(0)
    rows = np.arange(own.shape[0])[:, None]
    below = (sky & (rows > lowest[None])).mean(0) >= BELOW
    return bool(below[own[0]].mean() >= COLUMNS)
