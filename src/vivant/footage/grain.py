"""The noise of footage: how much, how fine, and more of the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vivant.clip import Floats, Frame

LEAST = 0.6
"""Levels of noise under which there is none worth making."""
QUIET = 3.0
"""Deviations by which frames may differ where they are taken to show the same."""
MOVES = 1.2
"""Times by which frames some steps apart may differ more than those one step apart."""
TILE = 512


@dataclass(frozen=True, eq=False)
class Grain:
    """``sigma`` levels of each channel; ``soft`` pixels by which it is blurred (0: not)."""

    sigma: tuple[float, float, float]
    soft: float = 0.0

    @property
    def there(self) -> bool:
        """Whether it is worth making."""
        return max(self.sigma) >= LEAST

    def added(self, frame: Frame, rng: np.random.Generator) -> Frame:
        """A frame ``[H, W, 3]`` with new noise."""
        h, w = frame.shape[:2]
        tile = rng.standard_normal((min(h, TILE), min(w, TILE), 3)).astype(np.float32)
        if self.soft:
            tile = cv2.GaussianBlur(tile, (0, 0), self.soft)
            tile /= max(float(tile.std()), 1e-6)
        tile *= np.array(self.sigma, np.float32)
        reps = (-(-h // tile.shape[0]), -(-w // tile.shape[1]), 1)
        noise = np.tile(tile, reps)[:h, :w]
        return np.asarray(np.clip(np.rint(frame + noise), 0, 255), np.uint8)


def grain_of(frames: Sequence[Frame]) -> Grain:
    """The noise of consecutive frames ``[H, W, 3]``, from where they do not move and are flat. What
    differs the more the farther apart frames are moves, and is no noise."""
    none = Grain((0.0, 0.0, 0.0))
    if len(frames) < 3:
        return none
    flat = _flat(frames[-1])[2:-2, 2:-2]
    if flat.sum() < 200:
        return none
    near, far = (_apart(frames[-1], other) for other in (frames[-2], frames[0]))
    sigma = _spread(near[flat])
    if float(_spread(far[flat]).mean()) > MOVES * float(sigma.mean()):
        return none
    red, green, blue = (float(s) for s in sigma / np.sqrt(2))
    found = Grain((red, green, blue), _softness(near.mean(axis=2), flat))
    return found if found.there else none


def _apart(a: Frame, b: Frame) -> Floats:
    return (a.astype(np.float32) - b)[2:-2, 2:-2]


def _spread(values: Floats) -> Floats:
    """Deviation of each channel of ``[N, 3]``, without what lies far off."""
    centred = values - np.median(values, axis=0)
    limit = 4 * np.median(np.abs(centred), axis=0) + 2
    return np.asarray(np.clip(centred, -limit, limit).std(axis=0), np.float32)


def calmed(frames: Sequence[Frame], grain: Grain) -> Frame:
    """The last frame, its noise averaged away where the frames before show the same."""
    last = frames[-1].astype(np.float32)
    if not grain.there:
        return frames[-1].copy()
    total, count = last.copy(), np.ones(last.shape[:2], np.float32)
    limit = QUIET * float(np.mean(grain.sigma)) * np.sqrt(2) / 3
    for frame in frames[:-1]:
        apart = frame.astype(np.float32) - last
        around = np.abs(cv2.blur(apart, (5, 5))).mean(axis=2)
        same = (around < limit).astype(np.float32)
        total += frame * same[..., None]
        count += same
    return np.asarray(np.clip(np.rint(total / count[..., None]), 0, 255), np.uint8)


def _flat(frame: Frame) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """The flattest third of the places that are neither black nor burnt."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.5)
    slope = cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    exposed = (grey > 12) & (grey < 243)
    if not exposed.any():
        return exposed
    return np.asarray(exposed & (slope <= np.percentile(slope[exposed], 33)))


def _softness(apart: Floats, flat: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    """Sigma of the blur that gives noise the correlation of neighbours that is found."""
    both = flat[:, 1:] & flat[:, :-1]
    a, b = apart[:, 1:][both], apart[:, :-1][both]
    spread = float(np.sqrt((a * a).mean() * (b * b).mean()))
    alike = float((a * b).mean()) / max(spread, 1e-6)
    if alike < 0.15:
        return 0.0
    return float(np.sqrt(-1 / (4 * np.log(min(alike, 0.95)))))
