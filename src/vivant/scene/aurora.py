"""Is there an aurora in the sky? Told by its colour: a dark sky in which something glows green.

Oxygen's line at 558 nm makes nearly all auroras green, and nothing else in a night's sky is; lights
of a town and dusk are red, yellow or blue.
"""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Frame, Plane

SHORT = 160
"""Short side in pixels at which a sky is looked at."""
LEAST_SKY = 0.1
"""Share of a picture from which its sky is looked at."""
GREENER, LIT = 6, 50
"""Levels by which a pixel that glows is greener than it is red or blue, and its least green."""
SHARE, STRONG = 0.03, 15
"""Share of the sky that glows, and by how many levels its greenest twentieth is greener."""
DARK, DARKEST = 120, 85
"""Most levels of the median, and of the darkest tenth, of a night's sky."""


def aurora_in(pixels: Frame, sky: Plane) -> bool:
    """Whether the ``sky`` ``[H, W]`` (255 = sky) of a picture ``[H, W, 3]`` shows an aurora."""
    scale = min(1.0, SHORT / min(sky.shape))
    size = max(8, round(sky.shape[1] * scale)), max(8, round(sky.shape[0] * scale))
    small, own = (cv2.resize(v, size, interpolation=cv2.INTER_AREA) for v in (pixels, sky))
    inside = own > 200
    if inside.mean() < LEAST_SKY:
        return False
    red, green, blue = (small[inside][:, k].astype(np.int16) for k in range(3))
    greener = green - np.maximum(red, blue)
    light = np.maximum(green, np.maximum(red, blue))
    glows = (greener > GREENER) & (green > LIT)
    night = np.median(light) < DARK and np.percentile(light, 10) < DARKEST
    return bool(night and glows.mean() > SHARE and np.percentile(greener, 95) > STRONG)
