"""Round neighbourhoods of a pixel."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def disc(radius: float) -> NDArray[np.uint8]:
    """The pixels within a ``radius``, at least 1, as a kernel ``[2 r + 1, 2 r + 1]``."""
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
