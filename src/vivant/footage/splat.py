"""Values carried forward along their motion, as weighted sums."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats

LEAST = 1e-3


def splat(values: Floats, motion: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """``values`` ``[H, W, C]`` brought ``motion`` (pixels ``[H, W, 2]``) on, shared among the four
    nearest places; where several arrive they count by ``weight`` ``[H, W]`` (softmax splatting,
    Niklaus and Liu, CVPR 2020, with weights given).

    Returns the sums of weighted values ``[H, W, C]`` and the sums of weights ``[H, W]``.
    """
    h, w, channels = values.shape
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    x, y = x + motion[..., 0], y + motion[..., 1]
    left, top = np.floor(x), np.floor(y)
    total = np.zeros((channels + 1, h * w))
    for dx in (0, 1):
        for dy in (0, 1):
            column, row = (left + dx).astype(np.int64), (top + dy).astype(np.int64)
            share = (1 - np.abs(x - column)) * (1 - np.abs(y - row)) * weight
            inside = (column >= 0) & (column < w) & (row >= 0) & (row < h)
            place, part = (row * w + column)[inside], share[inside]
            total[channels] += np.bincount(place, part, h * w)
            for channel in range(channels):
                sums = np.bincount(place, part * values[..., channel][inside], h * w)
                total[channel] += sums
    out = total.astype(np.float32).reshape(channels + 1, h, w)
    return np.ascontiguousarray(np.moveaxis(out[:channels], 0, 2)), out[channels]


def filled(sums: Floats, weights: Floats) -> Floats:
    """Averages ``[H, W, C]`` of weighted sums; where nothing arrived, what is around, coarse to
    fine (push and pull, Gortler et al., SIGGRAPH 1996)."""
    h, w = weights.shape
    if min(h, w) <= 2:
        mean = sums.sum(axis=(0, 1)) / max(float(weights.sum()), LEAST)
        around = np.broadcast_to(mean.astype(np.float32), sums.shape)
    else:
        size = ((w + 1) // 2, (h + 1) // 2)
        # areas, not sums: what is sure in one corner counts for all of it
        halves = [cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in (sums, weights)]
        coarse = filled(halves[0].reshape(size[1], size[0], -1), halves[1])
        around = cv2.resize(coarse, (w, h), interpolation=cv2.INTER_LINEAR)
        around = around.reshape(sums.shape)
    sure = np.clip(weights / 0.1, 0, 1)[..., None]
    own = sums / np.maximum(weights, LEAST)[..., None]
    return np.asarray(sure * own + (1 - sure) * around, np.float32)
