"""Measures of motion, as pure functions on arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats

Bools = NDArray[np.bool_]

MIN_GRADIENT = 6.0
MIN_MOVING, MIN_STATIC = 20, 60


def auc(score: Floats, positive: Bools) -> float:
    """Area under the ROC curve: the chance that a positive outscores a negative (ties half).

    The Mann-Whitney statistic. Raises ValueError where one of the classes is empty.
    """
    score, positive = score.ravel(), positive.ravel()
    wins, losses = int(positive.sum()), int((~positive).sum())
    if not wins or not losses:
        raise ValueError("both classes are needed")
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    upper = np.cumsum(counts)
    rank = (upper - (counts - 1) / 2)[inverse]
    return float((rank[positive].sum() - wins * (wins + 1) / 2) / (wins * losses))


def moving_and_static(
    speed: Floats,
    gradient: Floats,
    confidence: Floats | None = None,
    least_confidence: float = 0.5,
) -> tuple[Bools, Bools] | None:
    """Which cells truly move and which truly hold, or None where a clip does not qualify.

    ``speed`` ``[h, w]`` true mean speed in short sides per second, ``gradient`` ``[h, w]``
    levels at 256 pixels. Moving: over 0.3 of the 98th percentile and over 0.01; static: under
    0.1 of it. Only cells with texture count (and with enough ``confidence`` if given), and
    20 moving and 60 static cells are needed.
    """
    top = float(np.percentile(speed, 98))
    sound = gradient > MIN_GRADIENT
    if confidence is not None:
        sound &= confidence > least_confidence
    moving = sound & (speed > max(0.3 * top, 0.01))
    static = sound & (speed < 0.1 * top)
    if moving.sum() < MIN_MOVING or static.sum() < MIN_STATIC:
        return None
    return moving, static


def moving_area_auc(score: Floats, moving: Bools, static: Bools) -> float:
    """AUC of a score ``[h, w]`` for telling ``moving`` from ``static`` cells."""
    chosen = moving | static
    return auc(score[chosen], moving[chosen])


def centre_guess(h: int, w: int) -> Floats:
    """The null baseline that puts motion in the middle of the picture, ``[h, w]``."""
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    return np.exp(-(((x + 0.5) / w - 0.5) ** 2 + ((y + 0.5) / h - 0.5) ** 2) * 8).astype(np.float32)


def mean_cosine(a: Floats, b: Floats, where: Bools) -> float:
    """Mean cosine between vector fields ``[2, h, w]`` over the cells ``where``."""
    dot = (a * b).sum(axis=0)
    size = np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=0)
    return float((dot / np.maximum(size, 1e-8))[where].mean())


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of two uint8 images in dB; infinite where they are equal."""
    error = float(((a.astype(np.float32) - b) ** 2).mean())
    return float("inf") if error == 0 else float(10 * np.log10(255.0**2 / error))
