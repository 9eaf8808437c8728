"""Drift: the sky's detail moves over a base that stays.

The glow of the sun, the gradient and the light at the horizon stay where they are; clouds go, the
faster the higher above the horizon, and change slowly. Past the edge comes more of the same sky
(`vivant.rendering.manners.clouds`), and from time to time another part of it takes over, so that a
minute is no harder than a second. Sun, moon and stars hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.rendering.manners.clouds import base_of, clouded, endless, heightened, thin
from vivant.rendering.manners.lights import lights
from vivant.rendering.manners.manner import Fetcher, Ground, Shown, coarse, enlarged, rate_of
from vivant.rendering.manners.turns import Turn, Turns, lives_in, set_in
from vivant.rendering.noise import smooth_noise, walk
from vivant.rendering.plates import continued

NODES = 8.0
"""Pixels between nodes of the displacement's grid."""
HORIZON = 0.2, 0.15
"""Share of its speed that is left at the horizon, and the height up to which it lasts."""
LAG = 0.06
"""Places differ in the time of renewal by so many periods."""
LOOP_HANDOVER = 0.7
"""Handover within a short loop, in which it cannot be hidden in a long time."""
MEASURED, LATER = (1.0, 3.0), (-4.0, 0.0, 4.0)
"""Seconds from the middle of the first and of every other renewal at which the sky's sharpness is
measured."""
TRIED = 0.8
"""A gain that is tried beside 1, to see how far it goes: white clouds are cut off."""
SET_IN, KEPT = 0.7, 8
"""Seconds after which it is made up for at first, and how many renewals are remembered."""
MOST_GAIN, LEAST, INSIDE = (0.6, 1.4), 0.005, 0.03
"""Limits of that; share of the box that must be sky, so many short sides from its edge."""
GREY, CUT = 128, (0.1, 99.9)
"""Level of no detail, and the percentiles of detail that must not be cut off."""


@dataclass(frozen=True)
class Drift:
    """``speed`` overhead in short sides a second, to the right where positive; ``rise``: away from
    the horizon, likewise; ``far``: speed at the horizon as a share of that overhead; ``evolve``:
    amplitude of the clouds' own change in short sides, at about ``rate`` Hz; ``renewal`` seconds
    until another part of the sky takes over, in ``handover`` of that time."""

    speed: float = 0.03
    rise: float = 0.003
    far: float = 0.45
    evolve: float = 0.006
    rate: float = 0.08
    renewal: float = 22.0
    handover: float = 0.25

    def scaled(self, factor: float) -> Drift:
        """The same sky, moving so many times as fast."""
        return replace(
            self,
            speed=self.speed * factor,
            rise=self.rise * factor,
            evolve=self.evolve * min(factor, 2.0),
        )


class DriftManner:
    """See `vivant.rendering.manners.manner.Manner`; its texture is the detail alone, around
    grey, since the base never changes."""

    def __init__(self, ground: Ground, drift: Drift, rng: np.random.Generator) -> None:
        self.ground, self.drift = ground, drift
        h, w = ground.shape
        self.keep = lights(ground)
        band = self._band()
        grey = middle_of(band)
        self.span = band.shape[1]
        pad = min(h - 1, round(0.3 * ground.short))
        tile = np.clip(np.round(heightened(band, pad) + grey), 0, 255)
        self.fetcher = Fetcher(np.asarray(tile, np.uint8), cv2.BORDER_WRAP, (0, pad, w, h))
        self.texture = self.fetcher.still
        self.grey = np.full_like(self.texture, grey)
        nodes = coarse(ground.shape, NODES)
        self.height = self._height(nodes)
        noise = smooth_noise(nodes, max(2.0, nodes[0] / h * ground.short / 5), rng, 4)
        self.noise = np.asarray(np.clip(noise, -2.5, 2.5), np.float32)
        self.walks = tuple(walk(drift.rate, rng, ground.loop) for _ in range(3))
        self.turns = self._turns(rng)
        self.seed = self.turns.seed
        self.gain = lru_cache(KEPT)(self._gain)  # frames are made in several threads

    def at(self, seconds: float) -> Frame:
        """See `Manner`."""
        shown = [turn for turn in self.turns.at(seconds) if turn.weight.any()]
        looks = [self._look(turn, seconds) for turn in shown]
        out = looks[0] if len(looks) == 1 else self._mixed(looks, shown)
        if self.keep is None:
            return out
        return np.asarray(cv2.blendLinear(out, self.texture, 1 - self.keep, self.keep), np.uint8)

    def shown(self, seconds: float) -> Shown:
        """See `Manner`; it is the detail that moves, over a base that stays."""
        first, second = self.turns.at(seconds)
        even, odd = (self._wide(self._shift(turn, seconds)) for turn in (first, second))
        return Shown(even, odd, enlarged(second.weight, self.ground.shape), exact=False)

    def flow(self, seconds: float) -> Floats:
        """See `Manner`."""
        drift = self.drift
        profile = pace_at(self.height, drift.far)
        steady = [drift.speed * profile, -drift.rise * profile * self.height]
        change = rate_of(self._change, seconds, self.ground.short)
        return np.asarray(np.dstack(steady) + change, np.float32)

    def _look(self, turn: Turn, seconds: float) -> Frame:
        """One part of the sky at a time, as sharp as the sky is at first."""
        look = self.fetcher.at(self._shift(turn, seconds))
        number = self.turns.number(int(np.median(turn.life)))
        gain = self.gain(number, turn.slot)
        if (number, turn.slot) == (0, 0):
            gain = 1 + (gain - 1) * set_in(seconds, SET_IN, self.ground.loop)
        if abs(gain - 1) < 0.01:
            return look
        return np.asarray(cv2.addWeighted(look, gain, self.grey, 1 - gain, 0), np.uint8)

    def _gain(self, number: int, slot: int) -> float:
        """What the detail of a part of the sky is multiplied by: what the picture has besides
        (grain, rounding) stays where it is and adds to what comes, and parts differ."""
        middle = (number - 0.5 * slot) * self.turns.period
        times = MEASURED if (number, slot) == (0, 0) else LATER
        return self._measured([middle + t for t in times], slot)

    def _measured(self, times: list[float], slot: int) -> float:
        away = cv2.distanceTransform(self.ground.sure.astype(np.uint8), cv2.DIST_L2, 3)
        clear = (away > INSIDE * self.ground.short) & (
            True if self.keep is None else self.keep < 0.1
        )
        if clear.mean() < LEAST:
            return 1.0
        wanted = _energy(self.ground.pixels, clear)
        gains = []
        for seconds in times:
            look = self.fetcher.at(self._shift(self.turns.at(seconds)[slot], seconds))
            first, other = (np.log(_energy(self._shown(look, g), clear) / wanted)
                            for g in (1.0, TRIED))  # fmt: skip
            steep = (other - first) / np.log(TRIED)
            gains.append(np.exp(np.clip(-first / max(steep, 0.3), -1, 1)))
        return float(np.clip(np.median(gains), *MOST_GAIN))

    def _shown(self, look: Frame, gain: float) -> Frame:
        """The sky as a look is seen in it."""
        change = cv2.addWeighted(look, gain, self.grey, 1 - gain, 0)
        moved = cv2.subtract(change, self.texture, dtype=cv2.CV_16S)
        return np.asarray(cv2.add(moved, self.ground.pixels, dtype=cv2.CV_8U), np.uint8)

    def _mixed(self, looks: list[Frame], shown: list[Turn]) -> Frame:
        """Two textures in their weights; what is lost of contrast, since they differ, is made up
        for."""
        weight = enlarged(shown[0].weight, self.ground.shape)
        mixed = cv2.blendLinear(looks[0], looks[1], weight, 1 - weight)
        gain = 1 / np.sqrt(weight**2 + (1 - weight) ** 2)
        return np.asarray(cv2.blendLinear(mixed, self.grey, gain, 1 - gain), np.uint8)

    def _band(self) -> Floats:
        """The sky's detail around 0, endless to the right."""
        ground = self.ground
        lent = ground.sure * (1 - thin(ground.pixels, ground.sure, ground.short))
        if self.keep is not None:  # what holds must not come along
            lent = lent * (self.keep < 0.9)
        texture = continued(ground.pixels, lent)
        base = base_of(texture, ground.short)
        if self.keep is not None:  # nor what is lit by it be lent to other places
            lent = lent * (self.keep < 0.1)
        return endless(clouded(texture, base, ground.sure, lent, ground.short))

    def _height(self, nodes: tuple[int, int]) -> Floats:
        """Share 0..1 of the way from the horizon, the layer's lowest row, to the picture's top."""
        rows = np.flatnonzero((self.ground.matte > 127).mean(1) > 0.02)
        top = self.ground.origin[1]
        horizon = top + (int(rows[-1]) + 1 if len(rows) else self.ground.shape[0])
        y = top + (np.arange(nodes[0]) + 0.5) * self.ground.shape[0] / nodes[0]
        up = np.clip((horizon - y) / horizon, 0, 1).astype(np.float32)
        return np.repeat(up[:, None], nodes[1], axis=1)

    def _turns(self, rng: np.random.Generator) -> Turns:
        drift, loop = self.drift, self.ground.loop
        period, lives = lives_in(loop, drift.renewal)
        short = loop is not None and period < 0.5 * drift.renewal
        handover = LOOP_HANDOVER if short else drift.handover
        lag = LAG * self.noise[3]
        return Turns(period, handover, np.asarray(lag, np.float32), int(rng.integers(2**31)), lives)

    def _shift(self, turn: Turn, seconds: float) -> Floats:
        """Pixels ``[rows, columns, 2]`` to where a texture is read."""
        drift, short = self.drift, self.ground.short
        profile = pace_at(self.height, drift.far)
        across = -drift.speed * short * profile * turn.age + self._part(turn)
        down = drift.rise * short * profile * self.height * turn.age
        return np.asarray(np.dstack([across, down]) + self._change(seconds), np.float32)

    def _change(self, seconds: float) -> Floats:
        """The clouds' own change, pixels since t = 0."""
        size = self.drift.evolve * self.ground.short
        by = size * np.array([w.since(seconds) for w in self.walks], np.float32)
        across = by[0] * self.noise[0] + 0.7 * by[1] * self.noise[1]
        change = np.dstack([across, 0.6 * by[2] * self.noise[2]])
        return np.asarray(change * near_at(self.height)[..., None], np.float32)

    def _wide(self, shift: Floats) -> Floats:
        wide = enlarged(shift, self.ground.shape)
        return wide if self.keep is None else wide * (1 - self.keep)[..., None]

    def _part(self, turn: Turn) -> Floats:
        """Which part of the sky is seen after each renewal, in pixels along the band."""
        out = np.zeros(turn.life.shape, np.float32)
        if self.turns.lives == 1:  # in a short loop it is the same part throughout
            return out
        for life in np.unique(turn.life):
            number = self.turns.number(int(life))
            if (number, turn.slot) != (0, 0):
                rng = np.random.default_rng([self.seed, number + 1, turn.slot])
                out[turn.life == life] = rng.uniform(0, self.span)
        return out


def middle_of(band: Floats) -> NDArray[np.uint8]:
    """The levels ``[3]`` that stand for no detail: grey, unless a channel of ``band`` ``[h, w, 3]``
    would be cut off there, as white clouds before a deep blue are, which would colour them."""
    low, high = np.percentile(band[::4, ::4].reshape(-1, 3), CUT, axis=0)
    least, most = -low, 255 - high
    middle = np.where(least > most, (least + most) / 2, np.clip(GREY, least, most))
    return np.asarray(np.clip(np.round(middle), 0, 255), np.uint8)


def pace_at(height: Floats, far: float) -> Floats:
    """Share of the speed overhead at which a sky goes at a ``height`` 0..1 above the horizon: near
    it ``far``, at the very horizon, where far hills are easily taken for sky, next to nothing."""
    return np.asarray((far + (1 - far) * height) * near_at(height), np.float32)


def near_at(height: Floats) -> Floats:
    """Share of all motion that is left at a ``height`` 0..1 above the horizon."""
    low, reach = HORIZON
    return np.asarray(low + (1 - low) * np.clip(height / reach, 0, 1), np.float32)


def _energy(look: Frame, where: NDArray[np.bool_]) -> float:
    """Mean squared slope of a look's brightness, levels a pixel."""
    grey = cv2.cvtColor(look, cv2.COLOR_RGB2GRAY)
    x, y = (cv2.Sobel(grey, cv2.CV_32F, *order, ksize=1) for order in ((1, 0), (0, 1)))
    return float((x * x + y * y)[where].mean()) + 1e-3
