"""Cuts: where one shot ends and another begins."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
from numpy.typing import NDArray


def find_cuts(frames: NDArray[np.uint8], threshold: float = 0.35) -> list[int]:
    """Indices at which a new shot begins, for ``frames`` ``[T, H, W, 3]``.

    A cut is a frame whose colour histogram and small grey picture both jump, and jump far
    more than their neighbours do (a flash or fast motion changes one of them, not both).
    """
    small = [cv2.resize(f, (32, 18), interpolation=cv2.INTER_AREA) for f in frames]
    histograms = [_histogram(s) for s in small]
    colour = np.array([_overlap(a, b) for a, b in itertools.pairwise(histograms)])
    pixels = np.array(
        [np.abs(a.astype(np.float32) - b).mean() / 64 for a, b in itertools.pairwise(small)]
    )
    jump = np.minimum(colour, pixels)
    typical = np.median(jump) if len(jump) else 0.0
    return [int(i) + 1 for i in np.flatnonzero((jump > threshold) & (jump > 6 * typical))]


def _histogram(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    bins = cv2.calcHist([small], [0, 1, 2], None, [6, 6, 6], [0, 256] * 3).ravel()
    return np.asarray(bins / bins.sum(), np.float32)


def _overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(1.0 - np.minimum(a, b).sum())
