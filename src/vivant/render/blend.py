"""Mixing two textures without washing them out."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.render.parameters import RENDERING, Rendering

REDUCE = 4
AROUND = 7
LEAST_GAIN = 0.01
MIXED = 8.0


def mix(a: Frame, b: Frame, share: Floats, rendering: Rendering = RENDERING) -> Frame:
    """``(1 - share) a + share b``, ``[H, W, 3]`` uint8 with ``share`` ``[H, W]`` 0..1, and the
    local contrast of its parts kept.

    A plain cross-fade of two textures has less deviation from the local mean than either, unless
    they are the same. Deviations are multiplied by the root of the variance wanted, that of the
    parts in their shares, over the variance found, place by place (the variance-preserving blend
    of Heitz and Neyret, "High-performance by-example noise", 2018, with measured variances).
    """
    plain = cv2.blendLinear(a, b, 1 - share, share)
    gain = _gain(a, b, plain, share, rendering)
    if float(gain.max()) < LEAST_GAIN:
        return np.asarray(plain, np.uint8)
    size = (a.shape[1], a.shape[0])
    small = cv2.resize(plain, gain.shape[::-1], interpolation=cv2.INTER_AREA)
    level = cv2.resize(cv2.blur(small, (AROUND, AROUND)), size, interpolation=cv2.INTER_LINEAR)
    # exactly nothing where only one of the two is seen
    mixed = np.minimum(MIXED * share * (1 - share), 1)
    more = mixed * cv2.resize(gain, size, interpolation=cv2.INTER_LINEAR)
    deviation = cv2.subtract(plain, level, dtype=cv2.CV_16S)
    raised = cv2.multiply(deviation, cv2.merge([more] * 3), dtype=cv2.CV_16S)
    return np.asarray(cv2.add(plain, raised, dtype=cv2.CV_8U), np.uint8)


def _gain(a: Frame, b: Frame, plain: Frame, share: Floats, rendering: Rendering) -> Floats:
    """Gain less 1 on every fourth pixel: fine texture is what a cross-fade washes out, so pixels
    are left out and not averaged."""
    in_a, in_b, found = (_variance(x[::REDUCE, ::REDUCE]) for x in (a, b, plain))
    part = share[::REDUCE, ::REDUCE]
    wanted = in_a + part * (in_b - in_a)
    around = max(1.0, rendering.contrast_scale * min(part.shape))
    wanted, found = (cv2.GaussianBlur(x, (0, 0), around) for x in (wanted, found))
    return np.asarray(np.clip(np.sqrt((wanted + 1) / (found + 1)), 1, rendering.contrast_most) - 1)


def _variance(x: Frame) -> Floats:
    grey = cv2.cvtColor(np.ascontiguousarray(x), cv2.COLOR_RGB2GRAY).astype(np.float32)
    around = (AROUND, AROUND)
    return np.asarray(cv2.sqrBoxFilter(grey, -1, around) - cv2.blur(grey, around) ** 2, np.float32)
