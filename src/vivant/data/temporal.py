"""Does it move as real things of its kind do? Statistics over time, where no flow is needed.

A clip is seen in four bands of detail; where it moves at all, each band's autocorrelation at three
lags says how fast what is seen there changes, its contrast over time in units of that in space says
how much, and the structure tensor of one band says how much of the change is the same pattern
moving on. A clip's distance to a set of real ones is the median distance of these vectors, in units
of that of real clips from one another: 1 is as different as they are among themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Plane

SHORT = 160
"""Short side in pixels at which clips are looked at."""
SIGMAS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Bands are differences of blurs of these sigmas, in pixels of that size."""
LAGS = (1 / 12, 1 / 4, 1.0)
"""Seconds."""
SECONDS = 3.0
LEAST = 0.4
"""Mean change in levels under which a clip does not move."""
MOVING = 60
"""Percentile of change from which a place moves."""
CUBE = 1.5
"""Blur of the structure tensor, in pixels and frames."""

Vector = NDArray[np.float64]


def statistics(frames: Iterable[Frame], fps: float, region: Plane | None = None) -> Vector | None:
    """Statistics ``[17]`` of the first 3 s of a clip, frames ``[H, W, 3]`` uint8, in the whole
    picture or a ``region`` of it (``[H, W]``, 255 = inside); None where it is shorter than 1.5 s or
    nothing moves."""
    grey = _grey(frames, fps)
    if len(grey) < 1.5 * fps:
        return None
    inside = np.ones(grey.shape[1:], bool)
    if region is not None:
        inside = cv2.resize(region, grey.shape[:0:-1], interpolation=cv2.INTER_AREA) > 127
    change = grey.std(axis=0)
    if not inside.any() or change[inside].mean() < LEAST:
        return None
    where = inside & (change >= np.percentile(change[inside], MOVING))
    levels = [np.stack([cv2.GaussianBlur(f, (0, 0), s) for f in grey]) for s in SIGMAS]
    bands = [levels[k] - levels[k + 1] for k in range(len(SIGMAS) - 1)]
    parts = [_band(band, where, fps) for band in bands]
    return np.array([*np.concatenate(parts), _moving_on(bands[1], where)])


def distance(clips: Sequence[Vector], real: Sequence[Vector]) -> Vector:
    """Distance of each of ``clips`` to the ``real`` ones, in units of real against real.

    Raises ValueError where fewer than three are real.
    """
    if len(real) < 3:
        raise ValueError("three real clips are the least that a distance can be told from")
    table, scale = np.stack(real), spread(real)

    def to(one: Vector, others: NDArray[np.float64]) -> float:
        return float(np.median(np.linalg.norm((others - one) / scale, axis=1)))

    usual = [to(one, np.delete(table, k, axis=0)) for k, one in enumerate(table)]
    unit = max(float(np.median(usual)), 1e-9)
    return np.array([to(one, table) / unit for one in clips])


def spread(real: Sequence[Vector]) -> Vector:
    """How much each statistic ``[17]`` differs among clips: 1.48 median absolute deviations."""
    table = np.stack(real)
    away = np.median(np.abs(table - np.median(table, axis=0)), axis=0)
    return np.asarray(np.maximum(1.48 * away, 0.05), np.float64)


def _grey(frames: Iterable[Frame], fps: float) -> Floats:
    found = []
    for index, frame in enumerate(frames):
        if index >= SECONDS * fps:
            break
        scale = SHORT / min(frame.shape[:2])
        size = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        found.append(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32))
    return np.stack(found) if found else np.zeros((0, 1, 1), np.float32)


def _band(band: Floats, where: NDArray[np.bool_], fps: float) -> Vector:
    """Autocorrelation at each lag, and log of the contrast over time over that in space."""
    moving = band[:, where].astype(np.float64)
    space = moving.std(axis=1).mean()
    moving = moving - moving.mean(axis=0)
    power = (moving**2).mean()
    out = []
    for lag in LAGS:
        shift = min(len(moving) - 1, max(1, round(lag * fps)))
        out.append((moving[shift:] * moving[:-shift]).mean() / max(power, 1e-9))
    ratio = np.log(max(float(np.sqrt(power)), 1e-3) / max(float(space), 1e-3))
    return np.array([*out, ratio])


def _moving_on(band: Floats, where: NDArray[np.bool_]) -> float:
    """Share 0..1 of the change that is a pattern moving on: coherence of the structure tensor."""
    slopes = np.gradient(band)
    products = {}
    for i in range(3):
        for j in range(i, 3):
            product = (slopes[i] * slopes[j]).mean(axis=0)
            products[i, j] = cv2.GaussianBlur(product, (0, 0), 2 * CUBE)
    tensor = np.empty((*where.shape, 3, 3), np.float64)
    for (i, j), values in products.items():
        tensor[..., i, j] = tensor[..., j, i] = values
    low, middle, _ = np.moveaxis(np.linalg.eigvalsh(tensor[where]), -1, 0)
    return float(np.mean((middle - low) / np.maximum(middle + low, 1e-9)))
