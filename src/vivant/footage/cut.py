"""Where a clip closes best: two places that look alike, and go on alike."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.errors import UsageError

BLEND_SECONDS = 0.75
LEAST_BLEND = 3
THINGS = 0.5
"""Weight of differences that are gathered in few places, which are things that have gone on."""
SHORT_COST = 0.5
"""By how much a place costs more that leaves nearly nothing of the clip."""
LEAST_SHARE = 1 / 3
"""Of a clip that a loop shows, where no length is asked for; at least a second."""
ROUGH, AMONG = 2.0, 0.55
"""By how much a place costs more whose own step, once shown as the seam, is among the largest of
the loop; and the share of the steps that shall be larger."""
LEAST = 0.5
"""Levels that are added to all differences: what is smaller is not seen."""
NEAR = 0.1
"""Share by which a loop may be longer or shorter than asked, to close better."""


@dataclass(frozen=True)
class Cut:
    """The loop shows the frames from ``start`` to ``stop`` of a clip; the last ``blend`` of them
    turn into those that lead to ``start``, which are ``apart`` levels from them."""

    start: int
    stop: int
    blend: int
    apart: float = 0.0

    @property
    def count(self) -> int:
        """Frames of the loop."""
        return self.stop - self.start


def best_cut(
    small: NDArray[np.uint8], fps: float, seconds: float | None = None, most_blend: int = 1000
) -> Cut:
    """The best place to close frames ``[T, h, w, 3]`` at: the mean difference between what leads to
    the end and what leads to the start is least (Schoedl et al., Video textures, 2000), things
    that are elsewhere by then, a short loop and a large step at the start counting against it.
    ``seconds`` is the length that is wanted, up to a tenth; at most ``most_blend`` frames go into
    the closing.

    Raises UsageError where the clip is too short.
    """
    count = len(small)
    blend = max(LEAST_BLEND, min(round(BLEND_SECONDS * fps), count // 4, most_blend))
    lengths = _lengths(count, blend, fps, seconds)
    apart, gathered = _differences(small)
    cost_of = apart + THINGS * gathered
    larger = _larger_steps(small)
    best, found = np.inf, Cut(blend, count, blend)
    for length in lengths:
        along = _along(cost_of, length, blend)
        starts = np.arange(len(along)) + blend
        share = (larger[starts, starts + length - blend] - larger[starts, starts]) / (
            length - blend
        )
        costs = (along + LEAST) * (1 + ROUGH * np.maximum(AMONG - share, 0))
        first = int(costs.argmin())
        cost = float(costs[first]) * (1 + SHORT_COST * (1 - length / (count - blend)))
        if cost < best:
            start = first + blend
            mean = float(_along(apart, length, blend)[first])
            best, found = cost, Cut(start, start + length, blend, mean)
    return found


def _along(values: Floats, length: int, blend: int) -> Floats:
    """Means over ``blend`` frames of what lies ``length`` frames apart."""
    kernel = np.full(blend, 1 / blend)
    return np.asarray(np.convolve(np.diagonal(values, length), kernel, "valid"), np.float32)


def _lengths(count: int, blend: int, fps: float, seconds: float | None) -> range:
    """The lengths that are tried, frames."""
    most = count - blend
    if seconds is None:
        least = max(round(fps), round(LEAST_SHARE * count))
        most_tried = most
    else:
        least = max(blend + 1, round(seconds * fps * (1 - NEAR)))
        most_tried = min(most, round(seconds * fps * (1 + NEAR)))
    least = max(blend + 1, min(least, most) if seconds is None else least)
    if least > most_tried:
        raise UsageError(
            f"The clip has {count / fps:.1f} s; a loop of it is at most {most / fps:.1f} s long,"
            f" since {blend / fps:.1f} s go into its closing."
        )
    return range(least, most_tried + 1)


def _larger_steps(small: NDArray[np.uint8]) -> NDArray[np.int32]:
    """``[s, t]``: how many of the steps from a frame to the next, before frame ``t``, are larger
    than the one that leads to frame ``s``; ``[T, T + 1]``."""
    steps = np.array([0.0, *(cv2.absdiff(a, b).mean() for a, b in pairwise(small))])
    larger = np.roll(steps, -1)[None, :] > steps[:, None]  # [s, t]: the step from t to t + 1
    larger[:, -1] = False
    before = np.zeros((len(steps), 1), np.int32)
    return np.hstack([before, np.cumsum(larger, axis=1, dtype=np.int32)])


def _differences(small: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Mean difference in levels of all pairs of frames ``[T, T]``, on few pixels; and the mean of
    its fourth power, again in levels: the greater, the more it is gathered in few places."""
    few = [cv2.resize(frame, (32, 18), interpolation=cv2.INTER_AREA) for frame in small]
    flat = np.stack(few).reshape(len(few), -1).astype(np.float32)
    means, powers = [], []
    for one in flat:
        apart = np.abs(flat - one)
        means.append(apart.mean(1))
        powers.append(((apart * apart) ** 2).mean(1) ** np.float32(0.25))
    return np.stack(means), np.stack(powers)
