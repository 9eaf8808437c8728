"""Flame: an emission over its background that rises and licks.

``E = I - B`` with the background B filled in from around the flame is what the fire adds to the
picture, so ``I + E(t) - E(0)`` moves it and nothing else. The emission's own texture is carried up,
two of it by turns (`vivant.rendering.manners.turns`), slowly at the foot, bent by turbulence that
rises with it; a flame without texture, as a candle's, only licks. Brightness flickers without a
change of hue, and lights what is near. What stands before a fire hides it and is never carried.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Plane
from vivant.rendering.disc import disc
from vivant.rendering.manners.current import sharpened
from vivant.rendering.manners.manner import Fetcher, Ground, Shown, coarse, enlarged, rate_of
from vivant.rendering.manners.turns import Turn, Turns, lives_in
from vivant.rendering.noise import closed, smooth_noise, tile_noise
from vivant.rendering.plates import continued, filled

SIDE = 256
NODES = 4.0
"""Pixels between nodes of the turbulence's grid."""
OCTAVES = ((0.18, 0.7), (0.09, 0.3), (0.045, 0.1))
"""Sizes of the turbulence in heights of the flame, and their parts in it."""
FLICKER = ((1.3, 0.5), (2.9, 0.4), (5.7, 0.3), (9.1, 0.2))
"""Hz and parts of the flicker of a fire's light."""
MOST = 0.22
"""Flames are not taken to be taller than so many short sides: a burning wood has many."""
REACH = 0.35
"""Tongues and light reach so many heights of the flame beyond it."""
TEXTURED = 0.05, 0.1
"""Contrast within a flame, of its brightness, from which its texture begins to be, and is wholly,
carried up."""
FOOT = 0.2
"""Share of the speed at which a flame rises at its foot."""
LAG = 0.25
"""Places differ in the time of renewal by so many periods."""
YELLOW = 0.55, 0.75
"""Light of red and green, of the most in a fire, from which it begins to be, and is, flame."""
BEHIND = 0.9
"""What stands before a flame is narrower than so many of its heights; flames go on behind it."""


@dataclass(frozen=True)
class Flame:
    """``rise`` in heights of the flame a second; ``lick``: amplitude at its tip in heights;
    ``flicker``: of its brightness, 0..1; ``glow``: of the light on what is near, 0..1;
    ``period`` seconds of renewal of a texture that rises."""

    rise: float = 1.5
    lick: float = 0.03
    flicker: float = 0.12
    glow: float = 0.06
    period: float = 0.6

    def scaled(self, factor: float) -> Flame:
        """The same fire, so many times as wild."""
        part = factor**0.5
        return replace(
            self,
            rise=self.rise * part,
            lick=self.lick * factor,
            flicker=min(0.5, self.flicker * part),
            glow=min(0.3, self.glow * part),
        )


def flame_matte(matte: Plane) -> Plane:
    """Where a flame may be seen, ``[H, W]``: its matte and what its tongues and light reach."""
    tall = height_of(matte)
    if tall == 0:
        return matte
    wide = cv2.dilate(matte, disc(max(2, REACH * tall)))
    soft = cv2.GaussianBlur(wide, (0, 0), max(1.0, REACH * tall / 3))
    return np.asarray(np.maximum(matte, soft), np.uint8)


def height_of(matte: Plane) -> float:
    """Height in pixels of the flames of a matte, the largest weighing most."""
    there = (matte > 100).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(there)
    if count < 2:
        return 0.0
    area = stats[1:, cv2.CC_STAT_AREA].astype(np.float64)
    return float((stats[1:, cv2.CC_STAT_HEIGHT] * area).sum() / area.sum())


class FlameManner:
    """See `vivant.rendering.manners.manner.Manner`."""

    def __init__(self, ground: Ground, flame: Flame, rng: np.random.Generator) -> None:
        self.ground, self.flame = ground, flame
        self.texture = ground.pixels
        own = burning(ground.pixels, ground.matte)
        self.tall = min(max(4.0, height_of((own * 255).astype(np.uint8))), MOST * ground.short)
        behind = hidden(own, self.tall)
        emission = self._emission(own)
        self.carry = textured(emission, own, self.tall)
        self.fetcher = Fetcher(_behind(emission, own, behind), cv2.BORDER_REPLICATE)
        self.emission = self.fetcher.still
        self.seen = within(own, behind, self.tall)
        self.black = np.zeros_like(self.emission)
        nodes = coarse(ground.shape, NODES)
        self.height = self._height(own, nodes)
        self.sides = [self._side(octave) for octave in range(len(OCTAVES))]
        self.noise = self._noise(rng)
        rates = closed(np.array([hz for hz, _ in FLICKER], np.float32), ground.loop)
        self.rates, self.phases = rates, rng.uniform(0, 6.28, len(FLICKER))
        halo = cv2.GaussianBlur(emission.mean(2).astype(np.float32), (0, 0), 0.6 * self.tall)
        self.halo = np.asarray(halo / max(float(halo.max()), 1e-3), np.float32)
        self.turns = self._turns(nodes, rng)
        self.first = self._turbulence(0.0)

    def at(self, seconds: float) -> Frame:
        """See `Manner`."""
        now = self._turbulence(seconds) - self.first
        bright = 1 + self.flame.flicker * now[..., 1] * np.minimum(1, 2 * self.height)
        gain = enlarged(np.clip(bright, 0.6, 1.4).astype(np.float32), self.ground.shape)
        burns = self._risen(seconds, now)
        lit = np.asarray(cv2.blendLinear(burns, self.black, gain, 1 - gain), np.uint8)
        change = cv2.subtract(lit, self.emission, dtype=cv2.CV_16S)
        change = cv2.multiply(change, self.seen, scale=1 / 255)
        out = cv2.add(self.texture, change, dtype=cv2.CV_8U)
        light = 1 + self.halo * np.float32(self.flame.glow * self._flicker(seconds))
        return np.asarray(cv2.blendLinear(out, self.black, light, 1 - light), np.uint8)

    def shown(self, seconds: float) -> Shown:
        """See `Manner`; light is added and taken, so no flow is that of the pixels."""
        now = self._turbulence(seconds) - self.first
        first, second = self.turns.at(seconds)
        shape = self.ground.shape
        even, odd = (enlarged(self._shift(turn, now), shape) for turn in (first, second))
        return Shown(even, odd, enlarged(second.weight, shape), exact=False)

    def flow(self, seconds: float) -> Floats:
        """See `Manner`."""
        up = np.zeros((*self.height.shape, 2), np.float32)
        up[..., 1] = -self._speed() / np.float32(self.ground.short)
        return up + rate_of(self._licked, seconds, self.ground.short)

    def _licked(self, seconds: float) -> Floats:
        return self._bent(self._turbulence(seconds) - self.first)

    def _risen(self, seconds: float, turbulence: Floats) -> Frame:
        """The emission as it has risen; what is lost of contrast where two textures are mixed is
        made up for."""
        turns = [turn for turn in self.turns.at(seconds) if turn.weight.any()]
        looks = [self.fetcher.at(self._shift(turn, turbulence)) for turn in turns]
        if len(looks) == 1 or self.carry == 0:
            return looks[0]
        weight = enlarged(turns[0].weight, self.ground.shape)
        mixed = np.asarray(cv2.blendLinear(looks[0], looks[1], weight, 1 - weight), np.uint8)
        gain = 1 / np.sqrt(weight**2 + (1 - weight) ** 2)
        return sharpened(mixed, np.asarray(1 + self.carry * (gain - 1), np.float32), self.ground)

    def _speed(self) -> Floats:
        """Pixels a second that the texture rises, on the nodes."""
        share = FOOT + (1 - FOOT) * np.minimum(1, 1.5 * self.height)
        return np.asarray(self.carry * self.flame.rise * self.tall * share, np.float32)

    def _turns(self, nodes: tuple[int, int], rng: np.random.Generator) -> Turns:
        period, lives = lives_in(self.ground.loop, self.flame.period)
        size = max(2.0, 0.5 * self.tall / NODES)
        lag = LAG * np.clip(smooth_noise(nodes, size, rng)[0], -1.5, 1.5)
        return Turns(period, 1.0, np.asarray(lag, np.float32), int(rng.integers(2**31)), lives)

    def _emission(self, own: Floats) -> Frame:
        reach = max(3, round(0.15 * self.tall)) | 1
        around = cv2.dilate(own, np.ones((reach, reach), np.uint8))
        behind = np.minimum(continued(self.ground.pixels, (around < 0.05).astype(np.float32)),
                            self.ground.pixels)  # fmt: skip
        soft = np.clip(cv2.GaussianBlur(own, (0, 0), max(0.8, 0.03 * self.tall)) * 1.6, 0, 1)
        light = (self.ground.pixels.astype(np.float32) - behind) * soft[..., None]
        return np.asarray(np.clip(np.round(light), 0, 255), np.uint8)

    def _height(self, own: Floats, nodes: tuple[int, int]) -> Floats:
        """Height above the foot of a flame, 0 at the foot, 1 at the tip, on the nodes."""
        small = cv2.resize(own, nodes[::-1], interpolation=cv2.INTER_AREA)
        has = (small.max(0) > 0.3).astype(np.float32)
        foot = np.where(has > 0, nodes[0] - 1 - (small[::-1] > 0.3).argmax(0), 0)
        sigma = max(1.0, 0.3 * self.tall / NODES)
        pair = [cv2.GaussianBlur(row[None].astype(np.float32), (0, 0), sigma)[0]
                for row in (foot * has, has)]  # fmt: skip
        level = pair[0] / np.maximum(pair[1], 1e-3)
        y = np.arange(nodes[0], dtype=np.float32)[:, None]
        return np.asarray(np.clip((level[None] - y) * NODES / self.tall, 0, 1), np.float32)

    def _noise(self, rng: np.random.Generator) -> list[Floats]:
        found = []
        for (size, _), side in zip(OCTAVES, self.sides, strict=True):
            sigma = max(1.0, size * self.tall / NODES)
            found += [tile_noise(side, (sigma, 1.6 * sigma), rng) for _ in range(2)]
        return found

    def _side(self, octave: int) -> int:
        """Side of a tile of turbulence in nodes; in a loop what rises past in its time."""
        loop = self.ground.loop
        return SIDE if loop is None else max(16, round(self._pace(octave) * loop))

    def _pace(self, octave: int) -> float:
        """Nodes a second that turbulence rises."""
        return self.flame.rise * (0.8 + 0.25 * octave) * self.tall / NODES

    def _turbulence(self, seconds: float) -> Floats:
        """Unit turbulence ``[rows, columns, 2]`` on the nodes, risen since t = 0."""
        rows, columns = self.height.shape
        x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
        total = np.zeros((rows, columns, 2), np.float32)
        for octave, (_, part) in enumerate(OCTAVES):
            loop, side = self.ground.loop, np.float32(self.sides[octave])
            rise = self._pace(octave) * seconds if loop is None else side * seconds / loop
            at = np.dstack([x % side, (y + np.float32(rise)) % side])
            for axis in (0, 1):
                tile = np.pad(self.noise[2 * octave + axis], ((0, 1), (0, 1)), mode="wrap")
                look = cv2.remap(tile, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
                total[..., axis] += part * look
        return total

    def _bent(self, turbulence: Floats) -> Floats:
        """Pixels by which turbulence bends a flame."""
        size = np.float32(self.flame.lick * self.tall)
        bent = turbulence * size * self.height[..., None]
        bent[..., 1] *= 1.3
        return np.asarray(bent, np.float32)

    def _shift(self, turn: Turn, turbulence: Floats) -> Floats:
        """Pixels ``[rows, columns, 2]`` to where a texture is read."""
        shift = self._bent(turbulence)
        shift[..., 1] += self._speed() * turn.age
        return shift

    def _flicker(self, seconds: float) -> float:
        parts = np.array([part for _, part in FLICKER])
        turn = 2 * np.pi * self.rates * seconds + self.phases
        return float(parts @ (np.sin(turn) - np.sin(self.phases)))


def hidden(own: Floats, tall: float) -> Floats:
    """Where flames go on behind what stands before them (a trunk, a wick) and below their foot, so
    that no dark thing is ever carried up, ``[h, w]`` 0 or 1."""
    burns = (own > 0.4).astype(np.uint8)
    wide = 2 * max(1, round(0.5 * BEHIND * tall)) + 1
    closed_ = cv2.morphologyEx(burns, cv2.MORPH_CLOSE, np.ones((max(3, wide // 3) | 1, wide)))
    foot = np.ones((max(2, round(BEHIND * tall)), 1), np.uint8)
    below = cv2.dilate(burns, foot, anchor=(0, len(foot) - 1))
    return np.asarray(np.maximum(closed_, below) * (own < 0.4), np.float32)


def _behind(emission: Frame, own: Floats, behind: Floats) -> Frame:
    """An emission that goes on where flames are hidden."""
    sure = (own > 0.6).astype(np.float32)
    if not sure.any() or not behind.any():
        return emission
    more = filled(emission.astype(np.float32) * sure[..., None], sure)
    soft = cv2.GaussianBlur(behind, (0, 0), 1.0) * behind
    soft = soft[..., None] / max(float(soft.max()), 1e-3)
    return np.asarray(np.round(np.maximum(emission, more * soft)), np.uint8)


def textured(emission: Frame, own: Floats, tall: float) -> float:
    """How much 0..1 of a flame is texture that can be carried: of a candle's, nothing."""
    grey = emission.max(2).astype(np.float32)
    inside = cv2.erode((own > 0.5).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if not inside.any():
        return 0.0
    sigma = max(1.0, 0.08 * tall)
    near = cv2.GaussianBlur(np.where(inside, grey, 0), (0, 0), sigma)
    weight = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), sigma)
    fine = (grey - near / np.maximum(weight, 1e-3))[inside]
    low, high = TEXTURED
    contrast = float(fine.std() / max(float(grey[inside].mean()), 1.0))
    return float(np.clip((contrast - low) / (high - low), 0, 1))


def within(own: Floats, behind: Floats, tall: float) -> NDArray[np.int16]:
    """Where flames may be seen to lick, ``[h, w, 3]`` 0..255: what burns and its nearest
    neighbourhood, but not where they are ``hidden``."""
    wide = cv2.dilate(own, disc(0.06 * tall))
    soft = cv2.GaussianBlur(np.clip(wide - behind, 0, 1), (0, 0), max(0.8, 0.015 * tall))
    soft *= 1 - cv2.erode(behind, np.ones((3, 3), np.uint8))
    return np.repeat((255 * soft)[..., None], 3, axis=2).astype(np.int16)


def burning(pixels: Frame, matte: Plane) -> Floats:
    """What of a fire's matte ``[H, W]`` burns, 0..1: bright and warm; not its wood, nor sparks."""
    values = pixels.astype(np.float32)
    bright, warm = values.max(2), values[..., 0] - values[..., 2]
    score = np.clip((bright - 90) / 70, 0, 1) * np.clip((warm + 30) / 50, 0, 1)
    light = values[..., :2].mean(2)  # lit smoke is as red as flames are, but not as yellow
    inside = matte > 127
    most = float(np.percentile(light[inside], 97)) if inside.any() else 255.0
    low, high = (share * most for share in YELLOW)
    score = score * np.clip((light - low) / (high - low), 0, 1)
    own = score * (matte.astype(np.float32) / 255)
    sure = cv2.morphologyEx((own > 0.4).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    near = cv2.dilate(sure, np.ones((5, 5), np.uint8))
    return np.asarray(own * near, np.float32)
