"""From one scene into another: kinds that both have grow into each other's place, the rest
dissolves, and the layers of both go on meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.footage.flow import enlarged, fetched
from vivant.motion.held import Looked
from vivant.rendering.blend import mix
from vivant.rendering.camera import ease
from vivant.rendering.layers import Stage

KINDS = ("sky", "water", "fall", "smoke", "plant", "ground")
"""What may be stretched; faces, houses and things may not."""
LEAST = 0.03
"""Share of both pictures from which a kind is there."""
EXTENT = (0.03, 0.97)
"""Quantiles between which a kind's box lies."""
MOST = 2.5
"""A kind is stretched or pressed so many times at most."""
MOST_WAY = 0.25
"""Share of a side that anything goes at most, so that nothing folds."""
SHORT = 96
"""Short side of the grid on which the motion is stated."""
SOFT = 0.06
"""Short sides over which neighbours' motions blend."""
NONE = 0.02
"""Weight of standing still, where no kind is shared."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Morphed:
    """Between pictures of other scenes, each with its layers on a stage and what is ``seen`` in it
    (None where nothing is looked for). Both are met exactly."""

    first: Stage
    second: Stage
    seen_first: Looked | None
    seen_second: Looked | None

    @cached_property
    def _ways(self) -> tuple[Floats, Floats]:
        """Pixels that each picture's places go until they are where the other has them."""
        h, w = self.first.pixels.shape[:2]
        if self.seen_first is None or self.seen_second is None:
            none = np.zeros((h, w, 2), np.float32)
            return none, none
        there, back = ways(self.seen_first, self.seen_second, (w, h))
        return enlarged(there, (w, h)), enlarged(back, (w, h))

    def at(self, share: float, since: float, until: float) -> Frame:
        """See `vivant.footage.passage.Passage`."""
        if share <= 0 or share >= 1:
            return (self.first if share <= 0 else self.second).pixels.copy()
        there, back = self._ways
        eased = ease(share, loop=False)
        early = fetched(self.first.at(since), there, -eased)
        late = fetched(self.second.at(-until), back, eased - 1)
        return mix(_levels(early), _levels(late), np.full(early.shape[:2], eased, np.float32))


def ways(first: Looked, second: Looked, size: tuple[int, int]) -> tuple[Floats, Floats]:
    """The motion of each picture's kinds into the place that the other's have, ``[h, w, 2]`` pixels
    of a small grid of the aspect of ``size`` (width, height)."""
    scale = min(1.0, SHORT / min(size))
    few = max(4, round(size[0] * scale)), max(4, round(size[1] * scale))
    mattes = [_mattes(looked, few) for looked in (first, second)]
    both = [kind for kind in mattes[0] if kind in mattes[1]]
    boxes = [{kind: _box(own[kind]) for kind in both} for own in mattes]
    return _way(mattes[0], boxes[0], boxes[1], few), _way(mattes[1], boxes[1], boxes[0], few)


def _mattes(looked: Looked, size: tuple[int, int]) -> dict[str, Floats]:
    found = {}
    for kind in KINDS:
        own = cv2.resize(looked.mattes.of(kind), size, interpolation=cv2.INTER_AREA)
        if own.mean() >= 255 * LEAST:
            found[kind] = np.asarray(own / np.float32(255), np.float32)
    return found


def _box(matte: Floats) -> Box:
    """Left, top, right and bottom of where a kind is; at the picture's edge where it reaches it."""
    sides: list[float] = []
    for axis in (0, 1):
        mass = matte.sum(axis=axis)
        share = np.cumsum(mass) / mass.sum()
        low, high = (int(np.searchsorted(share, q)) for q in EXTENT)
        last = len(mass) - 1
        near = max(2, last // 12)
        sides += [0.0 if low <= near else float(low), float(last if high >= last - near else high)]
    return sides[0], sides[2], sides[1], sides[3]


def _way(mattes: dict[str, Floats], own: dict[str, Box], other: dict[str, Box],
         size: tuple[int, int]) -> Floats:  # fmt: skip
    w, h = size
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    total, weights = np.zeros((h, w, 2), np.float32), np.full((h, w, 1), NONE, np.float32)
    for kind, box in own.items():
        goal = other[kind]
        stretch = [_stretch(box[k + 2] - box[k], goal[k + 2] - goal[k]) for k in (0, 1)]
        across = goal[0] + (x - box[0]) * stretch[0] - x
        down = goal[1] + (y - box[1]) * stretch[1] - y
        weight = cv2.GaussianBlur(mattes[kind], (0, 0), SOFT * min(w, h))[..., None]
        total += weight * np.dstack([across, down])
        weights += weight
    far = np.clip(total / weights, *(np.array([w, h]) * side for side in (-MOST_WAY, MOST_WAY)))
    inside = np.dstack([np.sin(np.pi * (x + 0.5) / w), np.sin(np.pi * (y + 0.5) / h)])
    return np.asarray(far * inside, np.float32)  # nothing comes in from beyond an edge


def _levels(frame: Floats) -> Frame:
    return np.asarray(np.clip(np.rint(frame), 0, 255), np.uint8)


def _stretch(own: float, goal: float) -> float:
    return float(np.clip(goal / max(own, 1.0), 1 / MOST, MOST))
