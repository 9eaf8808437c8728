"""Bob: what floats rises and falls, and rolls about its waterline, whole.

The thing is cut out with its matte and laid, turned, over what is behind it, which is filled in
from around; the water's own layer moves beneath.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vivant.clip import Floats, Frame, Plane
from vivant.rendering.disc import disc
from vivant.rendering.manners.manner import Ground, Shown, coarse, rate_of
from vivant.rendering.noise import walk
from vivant.rendering.plates import continued

MARGIN = 0.03
"""A thing moves by at most so many short sides beyond its matte."""
UNSURE = 2
"""Pixels beside a thing whose colours are mixed with its own."""
KEEL = 0.85
"""Where it turns: so far down its height."""
NODES = 8.0
"""Pixels between nodes of the flow."""


@dataclass(frozen=True)
class Bob:
    """``place`` (x, y as shares of the picture) on the thing; ``heave`` and ``surge``: amplitudes
    up and down and sideways in short sides; ``roll``: degrees; ``rate`` Hz."""

    place: tuple[float, float] = (0.5, 0.5)
    heave: float = 0.004
    surge: float = 0.002
    roll: float = 1.0
    rate: float = 0.35

    def scaled(self, factor: float) -> Bob:
        """The same thing on water so many times as rough."""
        return replace(
            self,
            heave=min(self.heave * factor, MARGIN / 5),
            surge=min(self.surge * factor, MARGIN / 10),
            roll=min(self.roll * factor, 3.0),
        )


def afloat_matte(matte: Plane) -> Plane:
    """Where a thing that floats may be seen, ``[H, W]``: its matte and a margin."""
    return cv2.dilate(matte, disc(max(3, MARGIN * min(matte.shape))))


class BobManner:
    """See `vivant.rendering.manners.manner.Manner`."""

    def __init__(self, ground: Ground, bob: Bob, rng: np.random.Generator) -> None:
        self.ground, self.bob = ground, bob
        self.texture = ground.pixels
        own = ground.matte if ground.own is None else ground.own
        kernel = np.ones((2 * UNSURE + 1,) * 2, np.uint8)
        beside = (cv2.dilate(own, kernel) <= 8).astype(np.float32)
        self.behind = continued(ground.pixels, beside).astype(np.float32)
        cover = (own.astype(np.float32) / 255)[..., None]
        body = continued(ground.pixels, ground.sure_of_own).astype(np.float32)
        self.cut = np.dstack([body * cover, cover])
        rows, columns = (np.flatnonzero((own > 127).any(axis)) for axis in (1, 0))
        if not len(rows):
            rows, columns = np.array([0]), np.array([0])
        self.centre = (
            float(columns[0] + columns[-1]) / 2,
            float(rows[0] + KEEL * (rows[-1] - rows[0])),
        )
        self.walks = tuple(walk(bob.rate * pace, rng, ground.loop) for pace in (1.0, 1.25, 0.7))
        self.first = self._laid(0.0)

    def at(self, seconds: float) -> Frame:
        """See `Manner`; what sampling between pixels does to the cut is left out."""
        change = self._laid(seconds) - self.first
        return np.asarray(np.clip(np.round(self.texture + change), 0, 255), np.uint8)

    def cover(self, seconds: float) -> Plane | None:
        """See `vivant.rendering.manners.manner.Outlined`."""
        return np.asarray(np.clip(255 * self._cover(seconds), 0, 255), np.uint8)

    def shown(self, seconds: float) -> Shown:
        """See `Manner`; only where the thing is seen."""
        shift = self._shift(seconds, self.ground.shape)
        none = np.zeros(self.ground.shape, np.float32)
        return Shown(shift, shift, none, exact=False, where=self._cover(seconds) > 0.5)

    def flow(self, seconds: float) -> Floats:
        """See `Manner`: of the thing alone."""
        nodes = coarse(self.ground.shape, NODES)
        own = cv2.resize(self.cut[..., 3], nodes[::-1], interpolation=cv2.INTER_AREA)
        moved = rate_of(lambda t: self._shift(t, nodes), seconds, self.ground.short)
        return np.asarray(moved * own[..., None], np.float32)

    def _cover(self, seconds: float) -> Floats:
        """Share 0..1 ``[h, w]`` of each pixel that the thing covers."""
        turn, size = self._turn(seconds), self.ground.shape[::-1]
        return np.asarray(cv2.warpAffine(self.cut[..., 3], turn, size), np.float32)

    def _laid(self, seconds: float) -> Floats:
        """The thing over what is behind it, ``[h, w, 3]`` levels."""
        size = self.ground.shape[::-1]
        turned = cv2.warpAffine(
            self.cut, self._turn(seconds), size, flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        cover = np.clip(turned[..., 3:], 0, 1)
        return np.asarray(turned[..., :3] + (1 - cover) * self.behind, np.float32)

    def _turn(self, seconds: float) -> Floats:
        """Affine map ``[2, 3]`` of the thing since t = 0, pixels."""
        short = self.ground.short
        heave, roll, surge = (float(np.clip(w.since(seconds), -3, 3)) for w in self.walks)
        turn = cv2.getRotationMatrix2D(self.centre, self.bob.roll * roll, 1.0)
        turn[:, 2] += (self.bob.surge * short * surge, self.bob.heave * short * heave)
        return np.asarray(turn, np.float32)

    def _shift(self, seconds: float, nodes: tuple[int, int]) -> Floats:
        """Pixels ``[rows, columns, 2]`` to where the thing is read."""
        back = cv2.invertAffineTransform(self._turn(seconds))
        h, w = self.ground.shape
        x, y = np.meshgrid(
            (np.arange(nodes[1], dtype=np.float32) + 0.5) * w / nodes[1] - 0.5,
            (np.arange(nodes[0], dtype=np.float32) + 0.5) * h / nodes[0] - 0.5,
        )
        here = np.dstack([x, y])
        return np.asarray(cv2.transform(here, back) - here, np.float32)
