"""Textures continued beyond their edge: from sure pixels only, so that no rim is taken along."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats, Frame, Plane

SURE = 250
"""Matte from which a pixel is wholly the layer's own."""
RIM = 2
"""Pixels inside the edge whose colours are still mixed with what lies beyond."""


def sure_of(matte: Plane, rim: int = RIM) -> Floats:
    """1 where ``matte`` ``[H, W]`` is sure and away from its edge, else 0. Where a layer is so thin
    that nothing would be left, its surest pixels count."""
    own = (matte >= SURE).astype(np.uint8)
    inner = cv2.erode(own, np.ones((2 * rim + 1,) * 2, np.uint8), borderValue=1)
    if not inner.any():
        inner = own if own.any() else (matte >= max(1, int(matte.max()))).astype(np.uint8)
    return inner.astype(np.float32)


def continued(pixels: Frame, sure: Floats) -> Frame:
    """``pixels`` ``[H, W, 3]`` where ``sure`` ``[H, W]`` is 1, filled smoothly elsewhere."""
    if not sure.any():
        return pixels
    smooth = filled(pixels.astype(np.float32) * sure[..., None], sure)
    mixed = np.where(sure[..., None] > 0, pixels, np.clip(np.round(smooth), 0, 255))
    return np.asarray(mixed, np.uint8)


def filled(colours: Floats, weight: Floats) -> Floats:
    """Values ``[H, W, C]`` (times their ``weight`` ``[H, W]``) made whole by push and pull over a
    pyramid (Gortler et al., "The Lumigraph", 1996)."""
    if min(weight.shape) <= 2:
        total = max(float(weight.sum()), 1e-6)
        return np.broadcast_to(colours.sum((0, 1)) / total, colours.shape).astype(np.float32)
    coarse = filled(*(_halved(values) for values in (colours, weight)))
    wide = cv2.pyrUp(coarse, dstsize=weight.shape[::-1]).reshape(colours.shape)
    share = np.clip(weight, 0, 1)[..., None]
    own = colours / np.maximum(weight, 1e-6)[..., None]
    return np.asarray(own * share + wide * (1 - share), np.float32)


def _halved(values: Floats) -> Floats:
    small = cv2.pyrDown(values)
    return np.asarray(small if small.ndim == values.ndim else small[..., None], np.float32)
