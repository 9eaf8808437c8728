"""Is there a second copy of what holds? The correlation of change with held structure, at shifts.

A layer that drags along the rim of what stands before it, or shows it through a texture that fades
in, leaves a copy: the change ``F(t) - I`` beside what holds contains the held edges again, shifted.
So the fine detail of the change in a region is correlated with that of the held part of the picture
at every shift of up to 0.06 short sides (but for the nearest, at which an edge correlates with
itself), and the highest correlation is compared with the highest that other detail has in the same
place: that of the picture mirrored or turned, which no copy resembles. 1 is chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Plane

SHORT = 360
"""Short side in pixels at which clips are looked at."""
FINE = 1.0, 3.0
"""Detail is what is between blurs of these, pixels of that size."""
NEAR, FAR = 3, 0.06
"""Shifts from so many pixels to so many short sides."""
ENOUGH = 0.15
"""Shifts at which less than this share of the held detail lies in the region say nothing."""
FAINT = 0.06
"""Correlation that nobody sees, whatever chance is."""
LEAST = 400
"""Pixels of a region, and of held detail beside it, from which anything is said."""

Spectrum = NDArray[np.complex128]


@dataclass(frozen=True)
class Copy:
    """The highest correlation 0..1 of the change with held structure, at ``shift`` (x, y in short
    sides), and the highest that is ``chance``."""

    correlation: float
    chance: float
    shift: tuple[float, float]

    @property
    def ratio(self) -> float:
        """How many times chance it is."""
        return self.correlation / max(self.chance, FAINT)


def copy_of(first: Frame, frame: Frame, held: Plane, region: Plane) -> Copy | None:
    """The likeliest copy of what is ``held`` (``[H, W]``, 255 = holds) in a ``region`` (likewise)
    of a ``frame`` of a clip that began with ``first``, both ``[H, W, 3]``; None where there is too
    little of either, or nothing has changed."""
    small, now = (_small(one) for one in (first, frame))
    size = small.shape[1::-1]
    inside, stays = (
        cv2.resize(plane, size, interpolation=cv2.INTER_AREA) > 250 for plane in (region, held)
    )
    reach = max(NEAR + 2, round(FAR * min(size)))
    near = cv2.dilate(inside.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0
    detail, beside = _detail(small), _inner(stays & near)
    source = detail * beside
    change = _detail(now) - detail
    mask = _inner(inside & (_around(stays, reach) > 0))
    if mask.sum() < LEAST or (source != 0).sum() < LEAST or np.abs(change * mask).max() < 1:
        return None
    found, at = _highest(change, mask, source, reach)
    turned = [one * beside for one in (detail[:, ::-1], detail[::-1], detail[::-1, ::-1])]
    chance = max(_highest(change, mask, one, reach)[0] for one in turned)
    short = min(size)
    return Copy(float(found), float(chance), (at[0] / short, at[1] / short))


def _highest(
    change: Floats, mask: Floats, source: Floats, reach: int
) -> tuple[float, tuple[int, int]]:
    """The highest correlation at a shift (x, y pixels), and that shift."""
    shape = tuple(side + 2 * reach for side in mask.shape)
    moved, where = (np.fft.rfft2(one, shape) for one in (change * mask, mask))
    held = [np.conj(np.fft.rfft2(one, shape)) for one in (source, source * source)]
    products, power = (
        np.fft.irfft2(one * other, shape) for one, other in zip((moved, where), held, strict=True)
    )
    own = float((change * change * mask).sum())
    whole = float((source * source).sum())
    steps = np.arange(-reach, reach + 1)
    y, x = np.meshgrid(steps, steps, indexing="ij")
    known = power[y, x] > ENOUGH * power[y, x].max()
    far = (np.hypot(x, y) >= NEAR) & (np.hypot(x, y) <= reach) & known
    if not far.any() or whole == 0:
        return 0.0, (0, 0)
    values = np.where(far, products[y, x] / np.sqrt(np.maximum(power[y, x], 1e-9) * own), 0)
    best = np.unravel_index(int(np.abs(values).argmax()), values.shape)
    return float(abs(values[best])), (int(x[best]), int(y[best]))


def _small(frame: Frame) -> Floats:
    scale = SHORT / min(frame.shape[:2])
    size = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32)


def _detail(grey: Floats) -> Floats:
    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in FINE)
    return np.asarray(fine - coarse, np.float32)


def _inner(where: NDArray[np.bool_]) -> Floats:
    """1 inside, away from the edge, where detail is that of what is there alone."""
    return cv2.erode(where.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.float32)


def _around(where: NDArray[np.bool_], reach: int) -> NDArray[np.uint8]:
    kernel = np.ones((2 * reach + 1,) * 2, np.uint8)
    return np.asarray(cv2.dilate(where.astype(np.uint8), kernel), np.uint8)
