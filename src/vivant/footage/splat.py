"""Values carried forward along their motion, as weighted sums."""

from __future__ import annotations

import numpy as np

from vivant.clip import Floats


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
