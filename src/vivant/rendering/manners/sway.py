"""Sway: plants and cloth swing about their place, under a wind that travels.

Three motions add up, as they do in a tree (James et al., "Mechanical stability of trees under
dynamic loads", 2006): the whole thing leans about its foot, boughs swing in groups, leaves flutter.
The noise of boughs and leaves is filtered along the picture's edges, so that it is about constant
within a thing and changes at its outline, and nothing slides as one sheet. What is coarse (trunks,
walls), out of focus, not likely to move, or near to where the layer is held, moves less.

Every motion is a sum of waves in time with fixed maps in space, so that a moment costs one small
product, and a loop closes where each wave turns a whole number of times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.rendering.guided import Guide
from vivant.rendering.manners.manner import (
    Fetcher,
    Ground,
    Shown,
    coarse,
    enlarged,
    one_texture,
    rate_of,
)
from vivant.rendering.noise import closed, smooth_noise

NODE = 200
"""Nodes on the picture's short side."""
WHOLE = 0.3
"""Motion of so many short sides is that of the whole thing."""
CHANCE = 0.35, 0.4
"""What hardly ever moves still moves so much; what moves with this chance moves in full."""
STEM = 0.85
"""What looks most like a trunk is held by so much."""
RIM = 0.012
"""Short sides from what holds over which the motion sets in."""
UNLIKE = 0.35
"""Spread of the logarithms of rates: of few alike the sum would beat."""
GUIDE = 1 / 30, 2e-3
"""Radius, in short sides, and epsilon of the filter that makes noise follow edges."""


@dataclass(frozen=True)
class Sway:
    """``lean``, ``swing``, ``flutter``: amplitudes in short sides of the whole, of boughs and of
    leaves; ``rate`` Hz of the boughs: the whole is slower, leaves are faster; ``gust`` short sides
    a second at which a gust travels, ``heading`` degrees in the picture plane (0 right, 180 left);
    ``foot``: whether it stands on the ground (1) or hangs (0)."""

    lean: float = 0.0048
    swing: float = 0.005
    flutter: float = 0.0015
    rate: float = 0.6
    gust: float = 0.35
    heading: float = 0.0
    foot: float = 1.0

    def scaled(self, factor: float) -> Sway:
        """The same plant under so many times the wind."""
        return replace(
            self,
            lean=self.lean * factor,
            swing=self.swing * factor,
            flutter=self.flutter * factor,
        )


@dataclass(frozen=True, eq=False)
class Modes:
    """Waves in time ``rate`` ``[N]`` Hz with maps in space ``cosine`` and ``sine``
    ``[N, rows, columns, 2]`` pixels."""

    rate: Floats
    cosine: Floats
    sine: Floats

    def at(self, seconds: float) -> Floats:
        """Displacement ``[rows, columns, 2]`` at a time."""
        turn = 2 * np.pi * self.rate * np.float32(seconds)
        out = np.tensordot(np.cos(turn), self.cosine, 1) + np.tensordot(np.sin(turn), self.sine, 1)
        return np.asarray(out, np.float32)


class SwayManner:
    """See `vivant.rendering.manners.manner.Manner`."""

    def __init__(self, ground: Ground, sway: Sway, rng: np.random.Generator) -> None:
        self.ground, self.sway = ground, sway
        self.fetcher = Fetcher(ground.texture)
        self.texture = self.fetcher.still
        nodes = coarse(ground.shape, max(2.0, ground.short / NODE))
        guide = cv2.resize(self.texture, nodes[::-1], interpolation=cv2.INTER_AREA)
        radius = max(2, round(GUIDE[0] * ground.short * nodes[0] / ground.shape[0]))
        self.guide = Guide(guide.astype(np.float32) / 255, radius, GUIDE[1])
        self.free = freedom(ground, nodes)
        self.modes = self._modes(nodes, rng)
        self.first = self.modes.at(0.0)

    def at(self, seconds: float) -> Frame:
        """See `Manner`."""
        return self.fetcher.at(self._shift(seconds))

    def shown(self, seconds: float) -> Shown:
        """See `Manner`."""
        return one_texture(self._shift(seconds), self.ground.shape)

    def flow(self, seconds: float) -> Floats:
        """See `Manner`."""
        return rate_of(self._shift, seconds, self.ground.short)

    def _shift(self, seconds: float) -> Floats:
        return np.asarray(self.first - self.modes.at(seconds), np.float32)

    def _modes(self, nodes: tuple[int, int], rng: np.random.Generator) -> Modes:
        sway = self.sway
        rates, cosines, sines = [], [], []
        groups = ((0.5, sway.lean, 1 / 1.5, 4), (1.0, sway.swing, 1 / 9, 8),
                  (2.6, sway.flutter, 1 / 36, 5))  # fmt: skip
        for pace, amplitude, size, count in groups:
            for _ in range(count):
                rate = sway.rate * pace * float(np.exp(rng.normal(0, UNLIKE)))
                rate = float(closed(np.array([rate], np.float32), self.ground.loop)[0])
                cosine, sine = self._maps(nodes, rng, size, rate)
                scale = np.float32(amplitude * self.ground.short / np.sqrt(count))
                rates.append(rate)
                cosines.append(cosine * scale)
                sines.append(sine * scale)
        return Modes(np.array(rates, np.float32), np.stack(cosines), np.stack(sines))

    def _maps(
        self, nodes: tuple[int, int], rng: np.random.Generator, size: float, rate: float
    ) -> tuple[Floats, Floats]:
        """Maps of one wave, of unit amplitude: what swings together, and how late the gust is."""
        whole = size > WHOLE
        short = self.ground.short * nodes[0] / self.ground.shape[0]
        noise = smooth_noise(nodes, max(2.0, size * short), rng, 2)
        if not whole:
            for _ in range(2):
                noise = np.stack([self.guide.filtered(one) for one in noise])
            noise = noise / max(float(noise.std()), 0.2)
        turn = self._late(nodes, rate)
        across = noise[0] * np.cos(turn) + noise[1] * np.sin(turn)
        later = noise[1] * np.cos(turn) - noise[0] * np.sin(turn)
        wind = np.cos(np.radians(self.sway.heading)), -np.sin(np.radians(self.sway.heading))
        ways = np.array([np.copysign(1.0, wind[0] + 1e-9), 0.3], np.float32)
        free = (self.free * (self._lever(nodes) if whole else 1.0))[..., None]
        return (np.asarray(across[..., None] * ways * free, np.float32),
                np.asarray(later[..., None] * ways * free, np.float32))  # fmt: skip

    def _late(self, nodes: tuple[int, int], rate: float) -> Floats:
        """Phase of a gust that travels, radians."""
        turn = np.radians(self.sway.heading)
        scale = self.ground.shape[0] / nodes[0] / self.ground.short
        y, x = np.mgrid[0 : nodes[0], 0 : nodes[1]].astype(np.float32) * np.float32(scale)
        along = x * np.cos(turn) - y * np.sin(turn)
        return np.asarray(2 * np.pi * rate * along / max(self.sway.gust, 0.02), np.float32)

    def _lever(self, nodes: tuple[int, int]) -> Floats:
        """How far from where it is held a place is, 0 to about 1.5: above the foot of its column,
        or below where it hangs."""
        own = cv2.resize(self.ground.matte, nodes[::-1], interpolation=cv2.INTER_AREA) > 127
        y = np.arange(nodes[0], dtype=np.float32)[:, None]
        if self.sway.foot >= 0.5:
            held = np.where(own.any(0), nodes[0] - 1 - own[::-1].argmax(0), nodes[0] - 1)
            way = held[None] - y
        else:
            held = np.where(own.any(0), own.argmax(0), 0)
            way = y - held[None]
        scale = self.ground.shape[0] / nodes[0] / self.ground.short
        lever = cv2.GaussianBlur(np.maximum(way, 0).astype(np.float32), (0, 0), 0.04 / scale)
        return np.asarray(np.clip(lever * scale / 0.5, 0, 1.5), np.float32)


def freedom(ground: Ground, nodes: tuple[int, int]) -> Floats:
    """How free each place is to move, 0..1: fine texture is, what is coarse, blurred or near the
    layer's edge to what holds is not."""
    edge = _from_edge(ground)
    grey = cv2.cvtColor(ground.texture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), max(0.8, ground.short / 300))
    known = ground.sure
    pair = np.dstack([np.abs(fine) * known, known, edge])
    small = cv2.resize(pair, nodes[::-1], interpolation=cv2.INTER_AREA)
    sigma = max(1.0, 0.02 * ground.short * nodes[0] / ground.shape[0])
    soft = cv2.GaussianBlur(small[..., :2], (0, 0), sigma)
    detail = soft[..., 0] / np.maximum(soft[..., 1], 1e-2)
    inside = detail[soft[..., 1] > 0.5]
    usual = float(np.percentile(inside, 70)) if inside.size else 1.0
    focus = np.clip((detail / max(usual, 1.2) - 0.15) / 0.55, 0, 1)
    free = focus * small[..., 2] * (1 - STEM * stems(grey, ground, nodes))
    if ground.moving is not None:
        low, usual_chance = CHANCE
        chance = enlarged(ground.moving, nodes) / usual_chance
        free = free * np.clip(chance, low, 1)
    return np.asarray(free, np.float32)


def stems(grey: Floats, ground: Ground, nodes: tuple[int, int]) -> Floats:
    """How much like a trunk or a pole each place looks, 0..1: long upright edges, by the structure
    tensor (Bigün and Granlund, 1987) of what is coarser than leaves."""
    coarse_ = cv2.GaussianBlur(grey, (0, 0), max(0.8, ground.short / 160))
    x, y = (cv2.Sobel(coarse_, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
    small = cv2.resize(np.dstack([x * x, y * y, x * y]), nodes[::-1], interpolation=cv2.INTER_AREA)
    unit = ground.short * nodes[0] / ground.shape[0]
    xx, yy, xy = cv2.split(cv2.GaussianBlur(small, (0, 0), sigmaX=0.012 * unit, sigmaY=0.06 * unit))
    energy = xx + yy + 1e-3
    coherence = np.sqrt((xx - yy) ** 2 + 4 * xy * xy) / energy
    upright = np.clip((xx - yy) / energy, 0, 1)
    strong = np.clip(energy / (2 * float(np.median(energy)) + 1e-3), 0, 1)
    return np.asarray(np.clip((coherence * upright - 0.35) / 0.35, 0, 1) * strong, np.float32)


def _from_edge(ground: Ground) -> Floats:
    """0 at the layer's edge to what holds, 1 farther inside, ``[h, w]``; the picture's own edge is
    none."""
    own = (ground.matte > 127).astype(np.uint8)
    wide = cv2.copyMakeBorder(own, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    away = cv2.distanceTransform(wide, cv2.DIST_L2, 3)[1:-1, 1:-1]
    return np.asarray(np.clip(away / max(1.0, RIM * ground.short), 0, 1), np.float32)
