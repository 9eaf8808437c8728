"""The relief of a depth map that is given: one sheet, whose edges are sharp."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats
from vivant.rendering.space.relief import JUMP, Relief, Sheet

EDGE = 1 / 160
"""Short sides to either side of an edge within which depth is of one side or the other."""
SLOPE = 1.6
"""How much more depth differs within twice that, at most, where there is a step."""


def relief_from(depth: Floats) -> Relief:
    """A relief of disparity ``depth`` ``[H, W]`` 0..1 at the size of the frames."""
    return Relief((Sheet(np.full(depth.shape, 255, np.uint8), sharpened(depth)),))


def sharpened(depth: Floats) -> Floats:
    """Depth ``[H, W]`` in which nothing hangs between near and far: where both are close by,
    everything takes the depth of whichever is more like it."""
    reach = max(1, round(EDGE * min(depth.shape)))
    kernel = np.ones((2 * reach + 1,) * 2, np.uint8)
    plain = cv2.medianBlur(depth.astype(np.float32), 3)
    low, high = cv2.erode(plain, kernel), cv2.dilate(plain, kernel)
    wide = np.ones((4 * reach + 1,) * 2, np.uint8)
    around = cv2.dilate(plain, wide) - cv2.erode(plain, wide)
    step = (high - low > JUMP) & (around < SLOPE * (high - low))  # a slope goes on beyond
    low, high = cv2.blur(low, (3, 3)), cv2.blur(high, (3, 3))
    nearer = plain - low > high - plain
    return np.asarray(np.where(step, np.where(nearer, high, low), plain), np.float32)
