"""Mixing two textures without washing them out."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.rendering.parameters import RENDERING, Rendering

REDUCE = 4
AROUND = (7, 7)
MIXED = 8.0

At = tuple[slice, slice]


def mix(
    a: Frame,
    b: Frame,
    share: Floats,
    where: list[At] | None = None,
    rendering: Rendering = RENDERING,
) -> Frame:
    """``(1 - share) a + share b``, ``[H, W, 3]`` uint8 with ``share`` ``[H, W]`` 0..1, and the
    local contrast of its parts kept; ``a`` beyond the rectangles ``where``.

    A plain cross-fade of two textures has less deviation from the local mean than either, unless
    they are the same. Deviations are multiplied by the root of the variance wanted, that of the
    parts in their shares, over the variance found, place by place (the variance-preserving blend
    of Heitz and Neyret, "High-performance by-example noise", 2018, with measured variances).
    Exactly ``a`` or ``b`` where only one of them is seen.
    """
    tiles = [(slice(None), slice(None))] if where is None else where
    out, size = a.copy(), (a.shape[1], a.shape[0])
    gain = cv2.resize(_gain(a, b, share, rendering), size, interpolation=cv2.INTER_LINEAR)
    level = cv2.resize(_level(a, b, share), size, interpolation=cv2.INTER_LINEAR)

    for at in tiles:
        part = share[at]
        plain = cv2.blendLinear(a[at], b[at], 1 - part, part)
        more = np.minimum(MIXED * part * (1 - part), 1) * gain[at]
        out[at] = cv2.blendLinear(plain, level[at], 1 + more, -more)
    return out


def _level(a: Frame, b: Frame, share: Floats) -> Frame:
    """The local mean of the plain mix, on every fourth pixel."""
    few_a, few_b, s = (np.ascontiguousarray(x[::REDUCE, ::REDUCE]) for x in (a, b, share))
    return np.asarray(cv2.blur(cv2.blendLinear(few_a, few_b, 1 - s, s), AROUND), np.uint8)


def _gain(a: Frame, b: Frame, share: Floats, rendering: Rendering) -> Floats:
    """Gain less 1 on every fourth pixel: fine texture is what a cross-fade washes out, so pixels
    are left out and not averaged."""
    in_a, in_b = (_deviation(x) for x in (a, b))
    s = share[::REDUCE, ::REDUCE]
    rest = 1 - s
    wanted = rest * in_a**2 + s * in_b**2
    found = (rest * in_a + s * in_b) ** 2
    scale = max(3, round(rendering.contrast_scale * min(s.shape)) * 2 + 1)
    wanted, found = (cv2.blur(cv2.blur(x, (scale, scale)), (scale, scale)) for x in (wanted, found))
    gain = np.sqrt((wanted + 1) / (found + 1))
    return np.asarray(np.clip(gain, 1, rendering.contrast_most) - 1, np.float32)


def _deviation(x: Frame) -> Floats:
    sparse = np.ascontiguousarray(x[::REDUCE, ::REDUCE])
    grey = cv2.cvtColor(sparse, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray(grey - cv2.blur(grey, AROUND), np.float32)
