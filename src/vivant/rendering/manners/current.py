"""Current: the layer's own texture is carried along a steady velocity field, for ever.

Two textures take turns (`vivant.rendering.manners.turns`); how much contrast their mixture would
lose is known beforehand from how alike they are at each place, so that it is made up for there and
nowhere else: nothing flashes, nothing fades.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.rendering.manners.manner import Fetcher, Ground, Shown, coarse, enlarged
from vivant.rendering.manners.turns import UNEVEN, Turn, Turns, lives_in
from vivant.rendering.noise import smooth_noise

NODES = 6.0
"""Pixels between nodes of the ways' grid."""
STEPS = 8
"""Steps of a way in a period."""
DETAIL = 40
"""What is finer than the short side divided by this is detail, whose contrast is kept."""
SHEAR = 0.04
"""Lateness differs from place to place by at most so many short sides of way."""
THIN = 3.0
"""A node of which a third is the layer's own flows in full."""
MOST_LAG, MOST_GAIN = 0.2, 1.5


@dataclass(frozen=True)
class Current:
    """``period`` seconds after which a texture is renewed; ``handover``: share of it in which one
    takes over from the other."""

    period: float = 2.0
    handover: float = 1.0


class Carried:
    """A layer's texture, carried along ``ground.velocity``."""

    def __init__(
        self, ground: Ground, current: Current, fetcher: Fetcher, rng: np.random.Generator
    ) -> None:
        self.ground, self.fetcher = ground, fetcher
        period, lives = lives_in(ground.loop, current.period)
        nodes = coarse(ground.shape, NODES)
        velocity = self._velocity(nodes)
        self.reach = (0.5 + UNEVEN) * period
        self.velocity = velocity
        self.ways = ways(velocity, self.reach, self._scale(nodes))
        top = float(np.percentile(np.hypot(velocity[..., 0], velocity[..., 1]), 99))
        most = min(MOST_LAG, SHEAR / max(top * period, 1e-3))
        size = max(2.0, nodes[0] / ground.shape[0] * ground.short / 4)
        lag = np.clip(smooth_noise(nodes, size, rng)[0], -1.5, 1.5) * np.float32(most)
        self.turns = Turns(period, current.handover, lag, int(rng.integers(2**31)), lives)
        self.alike = self._likeness(period, nodes)

    def at(self, seconds: float, ripple: Floats | None, keep: float = 1.0) -> Frame:
        """The texture at a time, each place shifted by a ``ripple`` (pixels, coarse) on top;
        ``keep``: share of its detail's contrast that is kept."""
        turns = self.turns.at(seconds)
        first, second = (self.fetcher.at(self._shift(turn, ripple)) for turn in turns)
        weight = enlarged(turns[0].weight, self.ground.shape)
        mixed = np.asarray(cv2.blendLinear(first, second, weight, 1 - weight), np.uint8)
        share = turns[0].weight
        left = share**2 + (1 - share) ** 2 + 2 * share * (1 - share) * self.alike
        gain = keep * np.clip(1 / np.sqrt(np.maximum(left, 1e-3)), 1, MOST_GAIN)
        return sharpened(mixed, enlarged(gain.astype(np.float32), self.ground.shape), self.ground)

    def shown(self, seconds: float, ripple: Floats | None) -> Shown:
        """Where both textures are read, and how much of the second is seen."""
        first, second = self.turns.at(seconds)
        shape = self.ground.shape
        even, odd = (enlarged(self._shift(turn, ripple), shape) for turn in (first, second))
        return Shown(even, odd, enlarged(second.weight, shape))

    def _shift(self, turn: Turn, ripple: Floats | None) -> Floats:
        way = self.way(turn)
        if ripple is None:
            return way
        return enlarged(way, (ripple.shape[0], ripple.shape[1])) + ripple

    def way(self, turn: Turn) -> Floats:
        """Pixels to where a texture of that age is read."""
        last = len(self.ways) - 1
        place = np.clip((turn.age / self.reach + 1) / 2 * last, 0, last - 1e-3)
        low = place.astype(int)
        rows, columns = np.indices(low.shape)
        share = (place - low)[..., None].astype(np.float32)
        before, after = self.ways[low, rows, columns], self.ways[low + 1, rows, columns]
        return np.asarray(before + (after - before) * share, np.float32)

    def _velocity(self, nodes: tuple[int, int]) -> Floats:
        """Short sides a second at the nodes; none outside of the matte."""
        given = self.ground.velocity
        if given is None:
            raise ValueError("a current needs a velocity field")
        own = cv2.resize(self.ground.matte, nodes[::-1], interpolation=cv2.INTER_AREA)
        inside = np.minimum(1, THIN * own.astype(np.float32) / 255)
        return enlarged(given, nodes) * inside[..., None]

    def _scale(self, nodes: tuple[int, int]) -> tuple[float, float]:
        """Pixels in a short side, pixels between nodes."""
        return self.ground.short, self.ground.shape[0] / nodes[0]

    def _likeness(self, period: float, nodes: tuple[int, int]) -> Floats:
        """Correlation -1..1 by place between the two textures when both are seen alike."""
        shape = self.turns.lag.shape
        looks = []
        for age in (-0.25 * period, 0.25 * period):
            turn = Turn(
                0, np.full(shape, age, np.float32), self.turns.lag, np.zeros(shape, np.int64)
            )
            looks.append(cv2.cvtColor(self.fetcher.at(self.way(turn)), cv2.COLOR_RGB2GRAY))
        return likeness(looks[0], looks[1], self.ground, nodes)


def ways(velocity: Floats, reach: float, scale: tuple[float, float]) -> Floats:
    """Where what is seen has come from, ``reach`` seconds ahead to ``reach`` seconds back:
    ``[2 n + 1, rows, columns, 2]`` pixels, followed along a steady ``velocity`` (short sides a
    second). ``scale``: pixels in a short side, pixels between nodes."""
    short, apart = scale
    step = reach / STEPS
    flow = velocity * np.float32(short / apart)
    rows, columns = velocity.shape[:2]
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    start = np.dstack([x, y])
    sides = []
    for sign in (1.0, -1.0):
        at, way = start, []
        for _ in range(STEPS):
            half = at - np.float32(sign * step / 2) * _look(flow, at)
            at = at - np.float32(sign * step) * _look(flow, half)  # midpoint rule
            way.append((at - start) * np.float32(apart))
        sides.append(way)
    zero = np.zeros_like(start)
    return np.asarray(np.stack([*sides[1][::-1], zero, *sides[0]]), np.float32)


def _look(flow: Floats, at: Floats) -> Floats:
    out = cv2.remap(flow, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32)


def smoothed(look: Frame, ground: Ground) -> Frame:
    """What is left of a look without its detail."""
    h, w = ground.shape
    size = tuple(max(2, round(side * DETAIL / ground.short)) for side in (w, h))
    small = cv2.resize(look, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR), np.uint8)


def sharpened(look: Frame, gain: Floats, ground: Ground) -> Frame:
    """A look with its detail multiplied by ``gain`` ``[h, w]``."""
    return np.asarray(cv2.blendLinear(look, smoothed(look, ground), gain, 1 - gain), np.uint8)


def likeness(first: Frame, second: Frame, ground: Ground, nodes: tuple[int, int]) -> Floats:
    """Local correlation ``[rows, columns]`` of the detail of two grey looks ``[h, w]``."""
    one, two = (
        (look.astype(np.float32) - smoothed(look, ground)) * ground.sure for look in (first, second)
    )
    products = np.dstack([one * two, one * one, two * two])
    small = cv2.resize(products, nodes[::-1], interpolation=cv2.INTER_AREA)
    local = cv2.GaussianBlur(
        small, (0, 0), max(1.0, nodes[0] / ground.shape[0] * ground.short / 25)
    )
    floor = 0.05 * float(local[..., 1].mean()) + 1e-3
    size = np.sqrt((local[..., 1] + floor) * (local[..., 2] + floor))
    return np.asarray(np.clip((local[..., 0] + floor) / size, -0.5, 1), np.float32)
