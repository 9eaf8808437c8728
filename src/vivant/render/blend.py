"""Mixing two textures without washing them out."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats, Frame

REDUCE = 4


def mix(a: Frame, b: Frame, share: float, where: Floats | None = None) -> Frame:
    """``(1 - share) a + share b`` with the local contrast of its parts kept.

    A plain cross-fade of two textures with correlation rho has only
    ``sqrt(s^2 + r^2 + 2 s r rho)`` of their deviation from the local mean, so deviations are
    divided by it (the variance-preserving blend of Heitz and Neyret, "High-performance
    by-example noise", 2018, with measured correlation). ``[H, W, 3]`` uint8.
    ``where`` (any size) weighs the places whose correlation counts: where the parts differ.
    """
    if share <= 0.0:
        return a
    if share >= 1.0:
        return b
    plain = cv2.addWeighted(a, 1 - share, b, share, 0)
    size = (max(1, a.shape[1] // REDUCE), max(1, a.shape[0] // REDUCE))
    small_a, small_b = (cv2.resize(x, size, interpolation=cv2.INTER_AREA) for x in (a, b))
    # every fourth pixel, not their mean: fine texture is what a cross-fade washes out
    sparse_a, sparse_b = a[::REDUCE, ::REDUCE], b[::REDUCE, ::REDUCE]
    gain = _gain(sparse_a, sparse_b, share, where) - 1
    if gain < 0.01:
        return np.asarray(plain, np.uint8)
    level = cv2.blur(cv2.addWeighted(small_a, 1 - share, small_b, share, 0), (7, 7))
    full = cv2.resize(level, a.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.addWeighted(plain, 1 + gain, full, -gain, 0), np.uint8)


def _gain(a: Frame, b: Frame, share: float, weight: Floats | None) -> float:
    """One gain for the region, from the correlation of the deviations."""
    da, db = (_deviation(np.ascontiguousarray(x)) for x in (a, b))
    if weight is not None:
        sized = cv2.resize(weight, da.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        da, db = da * sized, db * sized
    a_b, a_a, b_b = (float(np.vdot(x, y)) for x, y in ((da, db), (da, da), (db, db)))
    rho = a_b / (np.sqrt(a_a * b_b) + 1e-6)
    rest = 1 - share
    return float(min(1 / np.sqrt(rest**2 + share**2 + 2 * rest * share * max(rho, 0.0)), 1.41))


def _deviation(x: Frame) -> Floats:
    grey = cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return grey - cv2.blur(grey, (7, 7))
