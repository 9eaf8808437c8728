"""Aurora: curtains of light that wave, and rays that run along them, before stars that hold.

The sky without its stars is bent by smooth fields that wander slowly, the wider the slower; its
light rises and falls as rays, fine across and long up and down, run sideways in two sets at speeds
of their own. What does not glow does not change, and the hue stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.rendering.manners.lights import stars
from vivant.rendering.manners.manner import (
    Fetcher,
    Ground,
    Shown,
    coarse,
    enlarged,
    one_texture,
    rate_of,
)
from vivant.rendering.noise import Walk, smooth_noise, tile_noise, walk
from vivant.rendering.plates import continued

NODES = 200
"""Nodes on the picture's short side."""
SIDE = 512
"""Samples on a side of a tile of rays, one a node."""
WIDE = ((0.8, 1.0, 0.4), (0.35, 0.5, 1.0), (0.16, 0.16, 2.0))
"""Sizes of the fields that bend, in short sides, with their part in it and their pace."""
RAYS = ((0.03, 0.25, 1.0, 0.25), (0.09, 0.3, -0.5, 0.5), (0.22, 0.3, 0.35, 0.75))
"""Width and height of rays in short sides, their pace, and their part in the light."""
FLATTER = 0.35
"""Curtains bend so much less up and down than sideways."""
GREEN, LIT = 14.0, 90.0
"""Levels by which what glows in full is greener than it is red or blue, and its green."""
BESIDE = 0.04
"""So many sides of the layer beside what is green glow with it."""
DIM, BRIGHT = 0.45, 1.8
"""Light is never less, nor more, than so many times its own."""


@dataclass(frozen=True)
class Aurora:
    """``bend``: amplitude of the curtains in short sides, at about ``rate`` Hz; ``speed`` of the
    rays, short sides a second; ``shimmer``: how much they change the light, 0..1."""

    bend: float = 0.02
    rate: float = 0.12
    speed: float = 0.045
    shimmer: float = 0.2

    def scaled(self, factor: float) -> Aurora:
        """The same aurora, so many times as lively."""
        part = factor**0.5
        return replace(
            self,
            bend=self.bend * part,
            rate=self.rate * part,
            speed=self.speed * factor,
            shimmer=min(0.5, self.shimmer * part),
        )


class AuroraManner:
    """See `vivant.rendering.manners.manner.Manner`; its texture is the sky without stars."""

    def __init__(self, ground: Ground, aurora: Aurora, rng: np.random.Generator) -> None:
        self.ground, self.aurora = ground, aurora
        keep = stars(ground)
        plain = ground.texture
        if keep is not None:
            plain = continued(ground.pixels, ground.sure * (keep < 0.3))
        self.fetcher = Fetcher(plain)
        self.texture = self.fetcher.still
        self.black = np.zeros_like(self.texture)
        nodes = coarse(ground.shape, max(2.0, ground.short / NODES))
        self.glow = glow_of(cv2.resize(plain, nodes[::-1], interpolation=cv2.INTER_AREA))
        self.unit = ground.short * nodes[0] / ground.shape[0]
        self.fields = [smooth_noise(nodes, size * self.unit, rng, 2) for size, _, _ in WIDE]
        self.walks = [self._walks(pace, rng) for _, _, pace in WIDE]
        self.tiles = [self._tile(row, rng) for row in RAYS]
        self.first = self._shine(0.0)

    def at(self, seconds: float) -> Frame:
        """See `Manner`."""
        look = self.fetcher.at(self._shift(seconds))
        change = self.aurora.shimmer * self.glow * (self._shine(seconds) - self.first)
        gain = np.clip(np.exp(change), DIM, BRIGHT).astype(np.float32)
        wide = enlarged(gain, self.ground.shape)
        return np.asarray(cv2.blendLinear(look, self.black, wide, 1 - wide), np.uint8)

    def shown(self, seconds: float) -> Shown:
        """See `Manner`; light comes and goes on top."""
        return one_texture(self._shift(seconds), self.ground.shape, exact=False)

    def flow(self, seconds: float) -> Floats:
        """See `Manner`."""
        return rate_of(self._shift, seconds, self.ground.short)

    def _walks(self, pace: float, rng: np.random.Generator) -> tuple[Walk, ...]:
        rate = self.aurora.rate * pace
        return tuple(walk(rate, rng, self.ground.loop) for _ in range(4))

    def _shift(self, seconds: float) -> Floats:
        """Pixels to where the sky is read, since t = 0."""
        total = np.zeros((*self.glow.shape, 2), np.float32)
        for (_, part, _), field, walks in zip(WIDE, self.fields, self.walks, strict=True):
            by = [np.float32(part * one.since(seconds)) for one in walks]
            total[..., 0] += by[0] * field[0] + by[1] * field[1]
            total[..., 1] += FLATTER * (by[2] * field[1] - by[3] * field[0])
        return np.asarray(
            total * np.float32(0.7 * self.aurora.bend * self.ground.short), np.float32
        )

    def _tile(self, row: tuple[float, float, float, float], rng: np.random.Generator) -> Floats:
        wide, tall, pace, _ = row
        sigma = max(0.8, 0.5 * wide * self.unit), max(0.8, 0.5 * tall * self.unit)
        return tile_noise(self._side(pace), sigma, rng, ratio=3.0)

    def _side(self, pace: float) -> int:
        """Samples on a side of a tile; in a loop what runs past in its time, once or more."""
        loop = self.ground.loop
        if loop is None:
            return SIDE
        way = abs(self._speed(pace)) * loop
        return max(32, round(way * max(1, round(SIDE / max(way, 1.0)))))

    def _speed(self, pace: float) -> float:
        """Nodes a second that rays run."""
        return self.aurora.speed * pace * self.unit

    def _shine(self, seconds: float) -> Floats:
        """How much brighter the rays make each node, about unit variance."""
        rows, columns = self.glow.shape
        x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
        total = np.zeros((rows, columns), np.float32)
        for (_, _, pace, part), tile in zip(RAYS, self.tiles, strict=True):
            side, run = tile.shape[0], self._run(pace, tile.shape[0], seconds)
            at = np.dstack([(x - np.float32(run)) % side, y % side])
            wrapped = np.pad(tile, ((0, 1), (0, 1)), mode="wrap")
            total += part * cv2.remap(wrapped, at, None, cv2.INTER_LINEAR)
        return np.clip(total, -2.5, 2.5)

    def _run(self, pace: float, side: int, seconds: float) -> float:
        """Nodes that rays have run; in a loop whole tiles in its time."""
        loop = self.ground.loop
        way = self._speed(pace)
        if loop is None:
            return way * seconds
        return (
            float(np.copysign(max(1, round(abs(way) * loop / side)), way)) * side * seconds / loop
        )


def glow_of(sky: Frame) -> Floats:
    """How much each place of a sky ``[h, w, 3]`` glows green, or beside it, 0..1: dusk does
    not."""
    values = cv2.GaussianBlur(sky, (0, 0), 1.5).astype(np.float32)
    greener = values[..., 1] - np.maximum(values[..., 0], values[..., 2])
    glow = np.clip((greener + 2) / GREEN, 0, 1) * np.clip(values[..., 1] / LIT, 0, 1)
    near = cv2.GaussianBlur(glow, (0, 0), BESIDE * min(sky.shape[:2]))
    return np.asarray(np.maximum(glow, np.clip(1.5 * near - 0.2, 0, 1)), np.float32)
