"""Flight: birds and whatever else is small in the open sky goes by whole, or hangs in its place.

Small ones, of which nobody can tell which way they look, glide all the same way, each at about the
same pace, and rise and sink a little; what leaves at one side comes in at the other. Larger ones
(kites, balloons, a near gull) stay about their place. None is ever bent, and clouds pass behind.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.rendering.manners.flyers import Flyer, found_in, lifted
from vivant.rendering.manners.manner import STEP, Ground, Shown, coarse
from vivant.rendering.noise import Walk, walk

GLIDES = 0.04
"""Things up to so many short sides long, with their rims, travel."""
UNLIKE = 0.12
"""Spread of the logarithms of their speeds."""
NODES = 16.0
"""Pixels between nodes of the flow."""
SEEN = 0.3
"""Cover from which a pixel shows one."""


@dataclass(frozen=True)
class Flight:
    """``speed`` short sides a second, to the right where positive; ``bob``: short sides by which
    each rises, sinks and strays, at about ``rate`` Hz."""

    speed: float = 0.03
    bob: float = 0.004
    rate: float = 0.25

    def scaled(self, factor: float) -> Flight:
        """The same flight, so many times as fast."""
        return replace(self, speed=self.speed * factor, bob=self.bob * min(factor, 2.0))


class FlightManner:
    """See `vivant.rendering.manners.manner.Manner`; ``beneath`` ``[h, w, 3]`` is the picture
    without what flies, which the sky moves, and ``cleared`` ``[h, w]`` where it was."""

    def __init__(self, ground: Ground, flight: Flight, rng: np.random.Generator) -> None:
        self.ground, self.flight = ground, flight
        self.texture = ground.pixels
        there = found_in(ground.pixels, ground.matte)
        self.beneath, self.flyers = lifted(ground.pixels, there)
        self.cleared = (self.beneath != ground.pixels).any(axis=2).astype(np.uint8) * np.uint8(255)
        self.walks = [self._walks(rng) for _ in self.flyers]
        pace = flight.speed * ground.short * np.exp(rng.normal(0, UNLIKE, len(self.flyers)))
        small = [one.size <= GLIDES * ground.short for one in self.flyers]
        # in a loop nobody leaves, since nobody would be back in time
        self.speed = np.where(small, pace, 0) * (0 if ground.loop is not None else 1)

    def at(self, seconds: float) -> Frame:
        """See `Manner`."""
        look = self.beneath.astype(np.float32)
        for number, flyer in enumerate(self.flyers):
            _lay(look, flyer, self._by(number, seconds))
        return np.asarray(np.clip(np.round(look), 0, 255), np.uint8)

    def shown(self, seconds: float) -> Shown:
        """See `Manner`; only where something flies."""
        shape = self.ground.shape
        shift, cover = np.zeros((*shape, 2), np.float32), np.zeros(shape, np.float32)
        for number, flyer in enumerate(self.flyers):
            by = self._by(number, seconds)
            own = np.zeros((*shape, 3), np.float32)
            _lay(own, replace(flyer, light=np.dstack([flyer.covers] * 3)), by)
            shift[own[..., 0] > SEEN] = -by
            cover = np.maximum(cover, own[..., 0])
        none = np.zeros(shape, np.float32)
        return Shown(shift, shift, none, exact=False, where=cover > SEEN)

    def flow(self, seconds: float) -> Floats:
        """See `Manner`: the mean over what each node sees, most of which is sky."""
        nodes = coarse(self.ground.shape, NODES)
        total = np.zeros((*nodes, 2), np.float32)
        scale = nodes[0] / self.ground.shape[0], nodes[1] / self.ground.shape[1]
        for number, flyer in enumerate(self.flyers):
            before, now, after = (self._by(number, seconds + k * STEP) for k in (-1, 0, 1))
            velocity = (after - before) / np.float32(2 * STEP * self.ground.short)
            row = int((flyer.top + flyer.size / 2 + now[1]) * scale[0])
            column = int((flyer.left + flyer.size / 2 + now[0]) * scale[1])
            came = np.abs(velocity).max() > 5 * abs(self.flight.speed) + 1
            if 0 <= row < nodes[0] and 0 <= column < nodes[1] and not came:
                total[row, column] = velocity
        return total

    def _walks(self, rng: np.random.Generator) -> tuple[Walk, Walk]:
        rate, loop = self.flight.rate, self.ground.loop
        return walk(rate, rng, loop), walk(rate, rng, loop)

    def _by(self, number: int, seconds: float) -> Floats:
        """How far one has gone since t = 0, pixels x, y."""
        flyer, (across, up) = self.flyers[number], self.walks[number]
        size = self.flight.bob * self.ground.short
        stray = np.clip([across.since(seconds), 0.7 * up.since(seconds)], -2.5, 2.5) * size
        way = float(self.speed[number]) * seconds
        span = self.ground.shape[1] + 2 * flyer.size
        first = flyer.left + flyer.size
        return np.asarray([(first + way) % span - first + stray[0], stray[1]], np.float32)


def _lay(look: Floats, flyer: Flyer, by: Floats) -> None:
    """Lay one over a look ``[h, w, 3]``, ``by`` pixels from its place."""
    whole = np.floor(by).astype(int)
    part = (by - whole).astype(np.float32)
    turn = np.array([[1, 0, part[0]], [0, 1, part[1]]], np.float32)
    size = flyer.covers.shape[1] + 1, flyer.covers.shape[0] + 1
    cover, light = (
        cv2.warpAffine(v, turn, size, flags=cv2.INTER_LINEAR) for v in (flyer.covers, flyer.light)
    )
    left, top = flyer.left + int(whole[0]), flyer.top + int(whole[1])
    rows = slice(max(0, top), min(look.shape[0], top + size[1]))
    columns = slice(max(0, left), min(look.shape[1], left + size[0]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    own = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
    part_of = look[rows, columns]
    part_of *= 1 - cover[own][..., None]
    part_of += light[own]
