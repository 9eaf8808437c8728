"""Depth of field: what a lens does not focus on.

Each slice is blurred by itself, before it is laid over what is behind it: it goes on behind what is
nearer, so no colour bleeds over an edge. Within a slice blur differs from place to place, mixed of
few blurs of the whole (as the levels of a pyramid; Williams, "Pyramidal Parametrics", 1983).
"""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats, Frame

LEVELS = 3
"""Blurs of which those between are mixed, beside none."""
HALVED = 3.0
"""Pixels of blur from which half the size is enough."""


def defocused(colours: Frame, share: Floats, blur: Floats) -> tuple[Frame, Floats]:
    """Colours ``[h, w, 3]`` and coverage ``[h, w]`` 0..1 blurred by ``blur`` ``[h, w]``, standard
    deviations in pixels."""
    most = float(blur.max())
    whole = np.dstack([colours * share[..., None], share]).astype(np.float32)
    if most < 1e-3:
        return colours, share
    levels = [whole] + [_blurred(whole, most * k / LEVELS) for k in range(1, LEVELS + 1)]
    at = np.clip(blur * np.float32(LEVELS / most), 0, LEVELS)
    mixed = np.zeros_like(whole)
    for k, level in enumerate(levels):
        mixed += level * np.maximum(1 - np.abs(at - k), 0)[..., None]
    covered = np.clip(mixed[..., 3], 0, 1)
    seen = mixed[..., :3] / np.maximum(covered, 1e-3)[..., None]
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8), np.ascontiguousarray(covered)


def _blurred(values: Floats, sigma: float) -> Floats:
    border = cv2.BORDER_REPLICATE
    if sigma < HALVED:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma, borderType=border), np.float32)
    h, w = values.shape[:2]
    small = cv2.resize(values, (max(1, w // 2), max(1, h // 2)), interpolation=cv2.INTER_AREA)
    soft = _blurred(np.asarray(small, np.float32), sigma / 2)
    return np.asarray(cv2.resize(soft, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
