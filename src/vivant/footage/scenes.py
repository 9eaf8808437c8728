"""Whether two frames show the same scene."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Frame
from vivant.footage.flow import both_ways, shrunk

LEAST_SHARED = 0.04
"""Share of texture that the other frame must have as well. Of 110 pairs 0.7 s apart 3 have less; of
110 pairs from different clips none has more than 0.028."""


def shared(a: Frame, b: Frame) -> float:
    """Share 0..1 of textured places of two frames of one size that the other shows as well."""
    small = shrunk(a, 224), shrunk(b, 224)
    motion = both_ways(*small)
    parts = []
    for frame, sure in ((small[0], motion.sure_a), (small[1], motion.sure_b)):
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
        texture = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 2.0))
        parts.append(float((sure * texture).sum() / max(float(texture.sum()), 1e-6)))
    return min(parts)


def same_scene(a: Frame, b: Frame) -> bool:
    """Whether motion can lead from one frame to the other."""
    return shared(a, b) >= LEAST_SHARED
