"""What moved in a cycle goes on in it: a hand that waves, a wheel, a swing (after Schoedl et al.,
Video textures, 2000). The frames of the last cycle are shown again where it was seen twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.footage.flow import shrunk

SHORT = 72
"""Short side of the frames that a cycle is looked for in."""
LEAST_SECONDS = 0.2
LIVELY = 5.0
"""Levels by which frames differ where something moves."""
BACK = 0.4
"""Share of what frames differ by usually that is left after a cycle, at most."""
AWAY = 2.5
"""Times as much they differ on the way, at least: what hardly moves is like itself at any time."""
MOST_OF = 0.3
"""Share of what moves that must be back after a cycle."""
LEAST_AREA = 0.004
"""Share of the picture under which what moves in a cycle is not continued."""
OVER = 0.1
"""Seconds in which one cycle turns into the next."""
BROAD = 6.0
"""Pixels of the small frames over which light is compared."""


@dataclass(frozen=True, eq=False)
class Cycle:
    """The last ``frames`` ``[H, W, 3]`` of footage, a cycle's and the ``over`` before it; its
    ``period`` in frames; where it is seen, ``mask`` ``[H, W]`` 0..1; and the ``light`` of its end,
    in levels over that of its beginning ``[h, w, 3]``."""

    frames: tuple[Frame, ...]
    period: int
    over: int
    mask: Floats
    light: Floats

    def upon(self, frame: Frame, number: int) -> Frame:
        """The ``number``-th frame after the last one (from 1), with the cycle in its place."""
        place = (number - 1) % self.period
        own = self.frames[self.over + place].astype(np.float32)
        left = place - (self.period - self.over)
        if left >= 0:  # leads to where the cycle began
            share = np.float32((left + 1) / (self.over + 1))
            own += share * (self.frames[left].astype(np.float32) - own)
        gone = number / (self.over + 1)
        if gone < 1:
            size = (frame.shape[1], frame.shape[0])
            own += np.float32(1 - gone) * cv2.resize(self.light, size)
        mixed = frame + self.mask[..., None] * (own - frame)
        return np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)


def cycle_of(frames: Sequence[Frame], fps: float, solid: Floats) -> Cycle | None:
    """The cycle in which something moved at the end of frames ``[H, W, 3]`` of a camera that
    stands; ``solid`` ``[h, w]`` 0..1 is what neither flows nor boils. None where there is none."""
    small = np.stack([cv2.GaussianBlur(shrunk(frame, SHORT), (0, 0), 1.0) for frame in frames])
    found = _period(small.astype(np.float32), fps, solid)
    if found is None:
        return None
    period, where = found
    over = max(1, min(round(OVER * fps), period // 3, len(frames) - period))
    height, width = frames[0].shape[:2]
    wide = cv2.resize(where.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(wide, (0, 0), min(height, width) / SHORT)
    broad = [
        cv2.GaussianBlur(one.astype(np.float32), (0, 0), BROAD) for one in small[[-1, -1 - period]]
    ]
    light = np.asarray(broad[0] - broad[1], np.float32)
    kept = tuple(frames[-period - over :])
    return Cycle(kept, period, over, np.asarray(soft, np.float32), light)


def _period(small: Floats, fps: float, solid: Floats) -> tuple[int, NDArray[np.bool_]] | None:
    """Frames of a cycle that was seen twice, and where ``[h, w]``."""
    least, most = max(3, round(LEAST_SECONDS * fps)), len(small) // 2
    if most <= least:
        return None
    apart = np.stack([_apart(small, lag) for lag in range(1, most + 1)])
    usual = apart.mean(axis=0)
    free = cv2.resize(solid, usual.shape[::-1], interpolation=cv2.INTER_AREA) > 0.5
    lively = free & (usual > LIVELY)
    if lively.mean() < LEAST_AREA:
        return None
    before = np.maximum.accumulate(apart, axis=0)[least - 2 : -2]
    later = apart[least - 1 : -1]
    again = lively & (later < BACK * usual) & (before > AWAY * later)
    votes = again.mean(axis=(1, 2))
    best = int(votes.argmax())
    if votes[best] < max(LEAST_AREA, MOST_OF * float(lively.mean())):
        return None
    kernel = np.ones((3, 3), np.uint8)
    whole = cv2.morphologyEx(again[best].astype(np.uint8), cv2.MORPH_CLOSE, kernel, iterations=2)
    return least + best, cv2.dilate(whole, kernel) > 0


def _apart(small: Floats, lag: int) -> Floats:
    """Mean difference ``[h, w]`` over the last frames from what was shown ``lag`` before."""
    span = min(len(small) - lag, max(lag, 3))
    return np.asarray(
        np.abs(small[-span:] - small[-span - lag : -lag]).mean(axis=(0, 3)), np.float32
    )
