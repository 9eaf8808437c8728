"""Does a water mirror what stands behind it? Then what is seen on it goes nowhere.

Lights and towers are drawn out upright in what mirrors them, while waves and foam lie: seen from
the bank they are drawn out across. So the slopes of brightness tell the two apart, also where the
eyes took a calm river in a town for one that flows.
"""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Frame, Plane
from vivant.rendering.explained import small_size

SHORT, FINE, INSIDE = 360, 1.5, 9
"""Short side in pixels at which it is told, blur before slopes are taken, and width of the rim
that is not asked."""
LEAST, SURE = 0.04, 178
"""Share of a picture that must be surely water, and from which matte on it is."""
UPRIGHT = 0.7
"""Slopes across, squared, over slopes down from which a water mirrors: 0.75 to 15 in six towns at
rivers, 0.24 in one that flows, 0.05 to 0.4 in most lakes and seas."""


def mirroring(pixels: Frame, water: Plane) -> bool:
    """Whether the ``water`` ``[H, W]`` (255 = water) of a picture ``[H, W, 3]`` of any size shows
    mostly what it mirrors."""
    size = small_size(pixels, SHORT)
    grey = cv2.cvtColor(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    inside = (cv2.resize(water, size, interpolation=cv2.INTER_AREA) > SURE).astype(np.uint8)
    inside = cv2.erode(inside, np.ones((INSIDE, INSIDE), np.uint8))
    if inside.mean() < LEAST:
        return False
    soft = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), FINE)
    across, down = (cv2.Sobel(soft, cv2.CV_32F, *order) ** 2 for order in ((1, 0), (0, 1)))
    own = inside > 0
    return bool(across[own].mean() > UPRIGHT * max(float(down[own].mean()), 1e-3))
