"""A wide Gaussian blur at the price of a narrow one: made small, blurred, made large again."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats

FINE = 4.0
"""Pixels of the small picture over which it is blurred."""


def widely(values: Floats, sigma: float) -> Floats:
    """``values`` ``[h, w]`` or ``[h, w, c]`` blurred over ``sigma`` pixels; where that is less than
    twice `FINE` exactly so."""
    height, width = values.shape[:2]
    factor = min(sigma / FINE, min(height, width) / 8)
    if factor < 2:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)
    size = round(width / factor), round(height / factor)
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma * size[0] / width)
    wide = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(wide, np.float32)
