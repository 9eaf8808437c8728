"""Whether strokes are obeyed: where they touch, and in the moving region around."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from vivant.clip import Floats
from vivant.controls.stroke import Stroke
from vivant.evaluation.motion_scores import Truth
from vivant.metrics import Bools, mean_cosine

LENGTH = 0.15
"""Of the stroke, in short sides."""


@dataclass(frozen=True)
class Obedience:
    """Cosines between a stroke and the mean motion under it, averaged over the stroke and its
    opposite, so that motion which does not listen scores exactly 0: ``near``, over the 5 x 5
    cells at the stroke's middle; ``region``, over the connected moving cells around it."""

    near: float
    region: float


def obedience(truth: Truth, sample: Callable[[Stroke], Floats], seed: int) -> Obedience:
    """Draw a stroke in a random direction in the middle of the largest moving region, then its
    opposite.

    ``sample`` gives the velocity ``[T, 2, h, w]`` for a stroke, always under the same seed.
    """
    region, (row, column) = largest_region(truth.moving)
    h, w = region.shape
    turn = np.random.default_rng((seed, h, w, int(region.sum()))).uniform(0, 2 * np.pi)
    way = np.array([np.cos(turn), np.sin(turn)], np.float32)
    near = np.zeros_like(region)
    near[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3] = True
    cosines = []
    for asked in (way, -way):
        stroke = _stroke((row, column), asked, h, w)
        mean = sample(stroke).mean(axis=0)
        wanted = np.broadcast_to(asked[:, None, None], mean.shape)
        cosines.append([mean_cosine(mean, wanted, where) for where in (near, region | near)])
    return Obedience(*(float(value) for value in np.mean(cosines, axis=0)))


def _stroke(cell: tuple[int, int], way: Floats, h: int, w: int) -> Stroke:
    """A stroke through the middle of a cell of ``h`` x ``w`` ones."""
    middle = np.array([(cell[1] + 0.5) / w, (cell[0] + 0.5) / h])
    reach = way * LENGTH / 2 * min(h, w) / np.array([w, h])
    ends = [np.clip(middle + side * reach, 0, 1) for side in (-1, 1)]
    return Stroke(tuple((float(x), float(y)) for x, y in ends), seconds=2.0)


def largest_region(moving: Bools) -> tuple[Bools, tuple[int, int]]:
    """The largest connected region of ``moving`` ``[h, w]`` and its innermost cell."""
    closed = cv2.morphologyEx(moving.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed)
    if count < 2:
        raise ValueError("nothing moves")
    region = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    depth = cv2.distanceTransform(np.pad(region, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    row, column = np.unravel_index(int(np.argmax(depth)), region.shape)
    return region, (int(row), int(column))
