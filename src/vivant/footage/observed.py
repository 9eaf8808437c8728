"""What the last second of footage tells of how it goes on: velocities and light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.footage.flow import flow, shrunk

SHORT = 224
"""Motion is looked for on frames whose short side is so many pixels at most."""
CELLS = 32
"""Cells on the short side that velocities are given on."""
RECENT = 0.3
"""Seconds before the end of which the mean velocity is taken."""
SHAKEN = 0.4
"""Share of the variance over a second that counts against the mean: what is steady goes on, what
shakes does not (James and Stein's shrinkage). Chosen on 48 training clips, with `RECENT`."""
LIGHT_CELLS = 8
STEADY = 16.0
"""Weight of the variance about its line against a change of light."""
STILL = 0.02
"""Short sides a second at which a change of colour counts for 1/e: it may be what moves."""


@dataclass(frozen=True, eq=False)
class Observed:
    """Velocities ``[h, w, 2]`` on cells, short sides a second: ``last`` between the last two
    frames, ``mean`` of late; ``shaken`` ``[h, w]`` the deviation over the last second.
    ``light`` ``[8, 8, 3]``: levels a second by which broad colour changes, as far as it does so
    steadily, and not because something moves there."""

    last: Floats
    mean: Floats
    shaken: Floats
    light: Floats

    def going_on(self, velocity: Floats) -> Floats:
        """What of a mean velocity goes on: the less, the more it shook."""
        squared = (velocity**2).sum(axis=2)
        share = squared / (squared + SHAKEN * self.shaken**2 + 1e-8)
        return np.asarray(velocity * share[..., None], np.float32)


def observed(frames: Sequence[Frame], fps: float) -> Observed:
    """What consecutive frames ``[H, W, 3]``, a second of them at most, tell; 2 at least."""
    small = [shrunk(frame, SHORT) for frame in frames]
    pairs = [flow(a, b) for a, b in pairwise(small)]
    velocities = np.stack([_cells(pair, fps) for pair in pairs])
    recent = max(1, min(len(pairs), round(RECENT * fps)))
    mean = velocities[-recent:].mean(axis=0)
    mean = cv2.GaussianBlur(np.asarray(mean, np.float32), (0, 0), 1.0)
    spread = cv2.GaussianBlur(velocities.var(axis=0).sum(axis=2).astype(np.float32), (0, 0), 1.0)
    return Observed(
        last=np.asarray(velocities[-1], np.float32),
        mean=np.asarray(mean, np.float32),
        shaken=np.asarray(np.sqrt(np.maximum(spread, 0)), np.float32),
        light=_light(small, fps, np.linalg.norm(mean, axis=2)),
    )


def _cells(pixels: Floats, fps: float) -> Floats:
    """Motion in pixels of a frame as velocity on cells."""
    h, w = pixels.shape[:2]
    short = min(h, w)
    size = (max(4, round(CELLS * w / short)), max(4, round(CELLS * h / short)))
    few = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(few * np.float32(fps / short), np.float32)


def _light(small: Sequence[Frame], fps: float, speed: Floats) -> Floats:
    """Slope of broad colour over time, levels a second, as far as it is no chance."""
    size = (LIGHT_CELLS, LIGHT_CELLS)
    broad = np.stack([cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in small])
    values = broad.reshape(len(broad), -1).astype(np.float32)
    if len(values) < 6:
        return np.zeros((*size, 3), np.float32)
    times = (np.arange(len(values)) - (len(values) - 1) / 2) / fps
    square = float((times**2).sum())
    slope = (times[:, None] * values).sum(axis=0) / square
    left = values - values.mean(axis=0) - times[:, None] * slope
    moved = (slope * times[-1]) ** 2
    share = moved / (moved + STEADY * left.var(axis=0) + 1.0)
    fast = cv2.resize(np.asarray(speed, np.float32), size, interpolation=cv2.INTER_AREA)
    still = np.exp(-((fast / STILL) ** 2))[..., None]
    out = ((slope * share).reshape(*size, 3) * still).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(out, (0, 0), 1.0), np.float32)
