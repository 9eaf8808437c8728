"""Current: the layer's own texture is carried along a steady velocity field, for ever.

Two textures take turns (`vivant.rendering.manners.turns`); how much contrast their mixture would
lose is known beforehand from how alike they are at each place, so that it is made up for there and
nowhere else: nothing flashes, nothing fades.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

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
FIELDS, ELSEWHERE, SLOW = 3, 0.02, 0.02
"""Every life of a texture begins up to about so many short sides up or down the flow, by a mixture
of so many smooth fields; where it flows slower than elsewhere, or than this (short sides a second),
by less."""
MOST_LAG, MOST_GAIN, MOST_BOOST = 0.2, 1.5, 1.3


@dataclass(frozen=True)
class Current:
    """``period`` seconds after which a texture is renewed; ``handover``: share of it in which one
    takes over from the other; ``carries``: what is coarser than so many short sides stays (what a
    river mirrors does not flow away), 0 = all is carried."""

    period: float = 2.0
    handover: float = 1.0
    carries: float = 0.0


class Carried:
    """A layer's texture, carried along ``ground.velocity``."""

    def __init__(
        self, ground: Ground, current: Current, fetcher: Fetcher, rng: np.random.Generator
    ) -> None:
        self.ground, self.fetcher, self.current = ground, fetcher, current
        step = max(1.0, current.carries * ground.short)
        self.coarse = cv2.resize(
            fetcher.still, coarse(ground.shape, step)[::-1], interpolation=cv2.INTER_AREA
        )
        period, lives = lives_in(ground.loop, current.period)
        nodes = coarse(ground.shape, NODES)
        velocity = self._velocity(nodes)
        self.reach = (0.5 + UNEVEN) * period
        self.velocity = velocity
        self.ways = ways(velocity, self.reach, self._scale(nodes))
        speed = np.hypot(velocity[..., 0], velocity[..., 1])
        size = max(2.0, nodes[0] / ground.shape[0] * ground.short / 4)
        bank = np.clip(smooth_noise(nodes, size, rng, FIELDS), -2, 2)
        along = velocity / np.float32(max(float(np.percentile(speed, 99)), SLOW))
        self.elsewhere = bank[..., None] * along * np.float32(ELSEWHERE * ground.short)
        self.begun = lru_cache(8)(self._begin)  # frames are made in several threads
        most = min(MOST_LAG, SHEAR / max(float(np.percentile(speed, 99)) * period, 1e-3))
        lag = np.clip(smooth_noise(nodes, size, rng)[0], -1.5, 1.5) * np.float32(most)
        self.turns = Turns(period, current.handover, lag, int(rng.integers(2**31)), lives)
        first, second = self._halves(period)
        grey = [cv2.cvtColor(look, cv2.COLOR_RGB2GRAY) for look in (first, second)]
        self.alike = likeness(grey[0], grey[1], ground, nodes)
        self.boost = 1.0
        self.boost = self._lost(first, second)

    def at(self, seconds: float, ripple: Floats | None, keep: float = 1.0) -> Frame:
        """The texture at a time, each place shifted by a ``ripple`` (pixels, coarse) on top;
        ``keep``: share of its detail's contrast that is kept."""
        turns = self.turns.at(seconds)
        first, second = (self.fetcher.at(self._shift(turn, ripple)) for turn in turns)
        weight = enlarged(turns[0].weight, self.ground.shape)
        mixed = np.asarray(cv2.blendLinear(first, second, weight, 1 - weight), np.uint8)
        gain = keep * self._gain(turns[0].weight)
        look = sharpened(mixed, enlarged(gain, self.ground.shape), self.ground)
        if self.current.carries == 0:
            return look
        return self._staying(look, ripple)

    def _staying(self, look: Frame, ripple: Floats | None) -> Frame:
        """A look with what is coarse put back to its place, waves and all."""
        here = self.coarse if ripple is None else cv2.remap(
            self.coarse, self._grid(ripple), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )  # fmt: skip
        there = cv2.resize(look, here.shape[1::-1], interpolation=cv2.INTER_AREA)
        back = cv2.subtract(here, there, dtype=cv2.CV_16S)
        wide = cv2.resize(back, self.ground.shape[::-1], interpolation=cv2.INTER_LINEAR)
        return np.asarray(cv2.add(look, wide, dtype=cv2.CV_8U), np.uint8)

    def _grid(self, ripple: Floats) -> Floats:
        """Where the coarse texture is read under a ripple (pixels)."""
        h, w = self.coarse.shape[:2]
        scale = w / self.ground.shape[1], h / self.ground.shape[0]
        x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
        shift = cv2.resize(ripple, (w, h), interpolation=cv2.INTER_AREA)
        return np.asarray(np.dstack([x + shift[..., 0] * scale[0], y + shift[..., 1] * scale[1]]),
                          np.float32)  # fmt: skip

    def _gain(self, share: Floats) -> Floats:
        """What makes up for the contrast that a mixture loses, by place."""
        both = share * (1 - share)
        left = share**2 + (1 - share) ** 2 + 2 * both * self.alike
        gain = np.clip(1 / np.sqrt(np.maximum(left, 1e-3)), 1, MOST_GAIN)
        return np.asarray(gain * (1 + 4 * both * (self.boost - 1)), np.float32)

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
        return np.asarray(before + (after - before) * share + self._elsewhere(turn), np.float32)

    def _elsewhere(self, turn: Turn) -> Floats:
        """Pixels by which each life of a texture begins somewhere else nearby; not the first."""
        lives = range(int(turn.life.min()), int(turn.life.max()) + 1)
        begins = [self._begins(turn.slot, life) for life in lives]
        if len(begins) == 1:
            return begins[0]
        return np.take_along_axis(
            np.stack(begins), (turn.life - lives[0])[None, ..., None], axis=0
        )[0]

    def _begins(self, slot: int, life: int) -> Floats:
        """Where one life of a texture begins, pixels from the picture, on the nodes."""
        return self.begun(slot, self.turns.number(life))

    def _begin(self, slot: int, number: int) -> Floats:
        rng = np.random.default_rng([self.turns.seed, number + 1, slot, 1])
        parts = rng.normal(0, FIELDS**-0.5, FIELDS).astype(np.float32)
        first = (number, slot) == (0, 0)
        begins = np.tensordot(parts * (0 if first else 1), self.elsewhere, 1)
        return np.asarray(begins, np.float32)

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

    def _halves(self, period: float) -> tuple[Frame, Frame]:
        """Both textures, a quarter of a period before and after they are the picture."""
        shape = self.turns.lag.shape
        life = np.zeros(shape, np.int64)
        ages = (np.full(shape, side * 0.25 * period, np.float32) for side in (-1, 1))
        turns = [Turn(0, age, self.turns.lag, life) for age in ages]
        first, second = (self.fetcher.at(self.way(turn)) for turn in turns)
        return first, second

    def _lost(self, first: Frame, second: Frame) -> float:
        """By how much an even mixture, its contrast made up for, is still less sharp."""
        half = np.full(self.ground.shape, 0.5, np.float32)
        mixed = np.asarray(cv2.blendLinear(first, second, half, half), np.uint8)
        gain = enlarged(self._gain(np.full_like(self.alike, 0.5)), self.ground.shape)
        now = sharpness(sharpened(mixed, gain, self.ground), self.ground.sure)
        wanted = sharpness(self.ground.texture, self.ground.sure)
        return float(np.clip(np.sqrt(wanted / max(now, 1e-6)), 1, MOST_BOOST))


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


def sharpness(look: Frame, sure: Floats) -> float:
    """Mean squared gradient of a look ``[h, w, 3]`` where it is ``sure``."""
    grey = cv2.cvtColor(look, cv2.COLOR_RGB2GRAY)
    slopes = [cv2.Sobel(grey, cv2.CV_32F, *order, ksize=1) for order in ((1, 0), (0, 1))]
    return float(((slopes[0] ** 2 + slopes[1] ** 2) * sure).sum() / max(float(sure.sum()), 1.0))


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
