"""Stream: falls, rapids, smoke, steam and fog, whose detail is new all the time.

The layer's own texture is carried on (`vivant.rendering.manners.current`), and band by band a part
of its detail hands over, with equal variance, to new detail of the same local contrast, stretched
along the flow and carried by it for ever. Base colours stay, so that no edge bends; new detail lies
on the layer's own colour axis.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.rendering.manners.current import Carried, Current, smoothed
from vivant.rendering.manners.manner import Fetcher, Ground, Shown, enlarged
from vivant.rendering.manners.turns import Turn, set_in
from vivant.rendering.noise import tile_noise, walk

SIDE = 256
"""Samples on a side of a tile of noise."""
UNIT = 320
"""Bands are in short sides divided by this."""
HALF = 2
"""New detail is made on a grid so many pixels wide."""
LIVELY = 0.7, 1.8
"""New detail is made so many times as strong, at least and at most, to look as fine as the old."""
AROUND = 16
"""Contrast is measured over the short side divided by this."""


@dataclass(frozen=True)
class Stream:
    """``bands``: sizes of new detail, in 320ths of the short side; ``stretch`` along the flow;
    ``own``: share of the layer's own detail that is kept for good, and ``memory`` seconds in which
    the rest goes; ``contrast`` of new detail to old; ``warp``: amplitude in short sides by which
    the layer is bent; ``period`` seconds of renewal."""

    bands: tuple[float, ...] = (2.0, 4.0, 8.0)
    stretch: float = 5.0
    own: float = 0.45
    memory: float = 0.8
    contrast: float = 1.0
    warp: float = 0.0
    period: float = 1.2

    def scaled(self, factor: float) -> Stream:
        """The same stream, so many times as wild; how fast it flows says its field."""
        return replace(self, warp=self.warp * factor)


SMOKE = Stream(
    bands=(4.0, 8.0, 16.0, 32.0),
    stretch=1.3,
    own=0.6,
    memory=2.5,
    warp=0.008,
    period=3.5,
    contrast=0.5,
)
"""Smoke, steam and fog."""


@dataclass(frozen=True, eq=False)
class Band:
    """Noise of one size: two ``tiles`` ``[SIDE, SIDE]``, and the layer's ``contrast`` at that size
    on the half grid, levels."""

    tiles: tuple[Floats, Floats]
    contrast: Floats


class StreamManner:
    """See `vivant.rendering.manners.manner.Manner`."""

    def __init__(self, ground: Ground, stream: Stream, rng: np.random.Generator) -> None:
        self.ground, self.stream = ground, stream
        fetcher = Fetcher(ground.texture)
        self.texture = fetcher.still
        self.carried = Carried(ground, Current(stream.period), fetcher, rng)
        h, w = ground.shape
        self.half = max(4, h // HALF), max(4, w // HALF)
        self.turn = _main_way(self.carried.velocity)
        self.colour = tint(ground)
        self.bands = self._bands(rng)
        x, y = np.meshgrid(np.arange(self.half[1]), np.arange(self.half[0]))
        self.grid = np.dstack([x, y]).astype(np.float32)
        self.walks = tuple(walk(0.12, rng, ground.loop) for _ in range(4))
        bent = [tile_noise(64, (5.0, 5.0), rng) for _ in range(4)]
        self.bend = np.stack([cv2.resize(b, self.half[::-1]) for b in bent])

    def at(self, seconds: float) -> Frame:
        """See `Manner`."""
        gone = set_in(seconds, self.stream.memory, self.ground.loop)
        turn = gone * float(np.arccos(self.stream.own))  # both with equal variance, and no pop
        look = self.carried.at(seconds, self._bent(seconds), float(np.cos(turn)))
        share = self.stream.contrast * float(np.sin(turn))
        if share < 1e-3:
            return look
        grey = enlarged(self._fresh(seconds) * np.float32(share), self.ground.shape)
        fresh = cv2.multiply(cv2.merge([grey] * 3), self.colour)
        return np.asarray(cv2.add(look, fresh, dtype=cv2.CV_8U), np.uint8)

    def shown(self, seconds: float) -> Shown:
        """See `Manner`; most of the detail is new."""
        return replace(self.carried.shown(seconds, self._bent(seconds)), exact=False)

    def flow(self, seconds: float) -> Floats:
        """See `Manner`."""
        return self.carried.velocity

    def _fresh(self, seconds: float) -> Floats:
        """New detail on the half grid, levels."""
        turns = self.carried.turns.at(seconds)
        places = [self._places(turn) for turn in turns]
        weight = enlarged(turns[0].weight, self.half)
        even = np.sqrt(weight**2 + (1 - weight) ** 2)
        total = np.zeros(self.half, np.float32)
        for number, band in enumerate(self.bands):
            looks = [
                _looked(tile, place, self.turn, 37.0 * number)
                for tile, place in zip(band.tiles, places, strict=True)
            ]
            mixed = (weight * looks[0] + (1 - weight) * looks[1]) / even
            total += band.contrast * mixed
        return total

    def _places(self, turn: Turn) -> Floats:
        """Where noise is read on the half grid: another part of it in every life."""
        way = enlarged(self.carried.way(turn), self.half) / np.float32(HALF)
        jump = np.zeros(turn.life.shape, np.float32)
        for life in np.unique(turn.life):
            number = self.carried.turns.number(int(life))
            jump[turn.life == life] = 97.0 * number + 41.0 * turn.slot
        wide = cv2.resize(jump, self.half[::-1], interpolation=cv2.INTER_NEAREST)
        return np.asarray(self.grid + way + wide[..., None], np.float32)

    def _bent(self, seconds: float) -> Floats | None:
        if self.stream.warp == 0:
            return None
        by = [w.since(seconds) for w in self.walks]
        size = np.float32(self.stream.warp * self.ground.short)
        across = by[0] * self.bend[0] + by[1] * self.bend[1]
        down = by[2] * self.bend[2] + by[3] * self.bend[3]
        return np.asarray(np.dstack([across, down]) * size, np.float32)

    def _bands(self, rng: np.random.Generator) -> tuple[Band, ...]:
        ground, unit = self.ground, self.ground.short / UNIT
        low = cv2.cvtColor(self.texture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        top = cv2.cvtColor(smoothed(self.texture, ground), cv2.COLOR_RGB2GRAY)
        found = []
        for number, size in enumerate(self.stream.bands):
            last = number == len(self.stream.bands) - 1
            lower = top.astype(np.float32) if last else cv2.GaussianBlur(low, (0, 0), size * unit)
            sigma = max(0.6, 0.5 * size * unit / HALF)
            along = (sigma, sigma * self.stream.stretch)
            tiles = (tile_noise(SIDE, along, rng), tile_noise(SIDE, along, rng))
            band = low - lower
            lively = _liveliness(band, self.ground.sure, 1) / _liveliness(tiles[0], None, HALF)
            contrast = self._contrast(band) * np.float32(np.clip(lively, *LIVELY))
            found.append(Band(tiles, contrast))
            low = lower
        return tuple(found)

    def _contrast(self, band: Floats) -> Floats:
        """Local contrast of a band within the layer, on the half grid."""
        sure = self.ground.sure
        pair = np.dstack([band * band * sure, sure])
        small = cv2.resize(pair, self.half[::-1], interpolation=cv2.INTER_AREA)
        wide = cv2.GaussianBlur(small, (0, 0), self.ground.short / AROUND / HALF)
        return np.asarray(np.sqrt(wide[..., 0] / np.maximum(wide[..., 1], 1e-3)), np.float32)


def _liveliness(band: Floats, sure: Floats | None, grid: int) -> float:
    """Gradient in units of the contrast, a pixel: how fine a band looks, whose samples are
    ``grid`` pixels apart."""
    steps = [np.diff(band, axis=axis) ** 2 / grid**2 for axis in (0, 1)]
    if sure is None:
        mean, power = sum(float(step.mean()) for step in steps), float((band**2).mean())
    else:
        inside = sure > 0
        mean = sum(
            float(s[i].mean()) for s, i in zip(steps, (inside[1:], inside[:, 1:]), strict=True)
        )
        power = float((band[inside] ** 2).mean())
    return float(np.sqrt(mean / max(power, 1e-6)))


def tint(ground: Ground) -> Floats:
    """The colour that new detail has at each place, ``[h, w, 3]`` of mean 1: that of what it is
    detail of."""
    low = smoothed(ground.texture, ground).astype(np.float32) + 8
    return np.asarray(np.clip(low / low.mean(2, keepdims=True), 0.4, 1.8), np.float32)


def _main_way(velocity: Floats) -> tuple[float, float]:
    """Unit vector of the main direction of a field."""
    mean = velocity.reshape(-1, 2).sum(0)
    size = float(np.hypot(*mean))
    return (0.0, 1.0) if size < 1e-9 else (float(mean[0] / size), float(mean[1] / size))


def _looked(tile: Floats, places: Floats, way: tuple[float, float], offset: float) -> Floats:
    """Noise at places, its long side along the ``way``."""
    turn = np.array([[way[1], -way[0], offset], [way[0], way[1], offset]], np.float32)
    at = cv2.transform(places, turn) % np.float32(SIDE)
    wrapped = np.pad(tile, ((0, 1), (0, 1)), mode="wrap")
    out = cv2.remap(wrapped, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32)
