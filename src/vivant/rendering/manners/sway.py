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

from vivant.clip import Floats, Frame, Plane
from vivant.rendering.disc import disc
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
from vivant.rendering.plates import continued

NODE = 200
"""Nodes on the picture's short side."""
WHOLE = 0.3
"""Motion of so many short sides is that of the whole thing."""
CHANCE = 0.35, 0.4
"""What hardly ever moves still moves so much; what moves with this chance moves in full."""
STEM = 0.85
"""What looks most like a trunk is held by so much."""
TRUNK = 0.05
"""Trunks narrower than so many short sides are held between their edges."""
RIM = 0.012
"""Short sides from what holds over which the motion sets in."""
UNLIKE = 0.35
"""Spread of the logarithms of rates: of few alike the sum would beat."""
FAR, NEARER = 0.3, 0.6
"""Plants far away sway by this share of what near ones do; it goes with nearness to this power."""
LEVEL = 1.5
"""Where inverse depth falls upwards by a factor of e in less than a short side divided by this, a
plant lies (a lawn) and does not stand."""
UNSURE = 2
"""Pixels beside a layer whose colours are mixed with its own."""
LACKS = 4
"""Levels from which what the texture lacks of the picture is a speck where the outline passes."""
FOLDS = 1.2
"""Nodes over which the noise of boughs and leaves changes at the outline of a thing at least."""
MOST = 0.014
"""Short sides towards which a sway is limited, near the viewer."""
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


class Outline:
    """The outline of a layer before the sky: it moves with the layer, over the sky behind it.

    ``plain`` ``[h, w, 3]`` is the layer's look at t = 0, ``texture`` the same over the sky. What
    the texture lacks of the picture stays in its place, but goes where the outline passes.
    """

    def __init__(self, ground: Ground, plain: Frame) -> None:
        own = _own(ground)
        kernel = np.ones((2 * UNSURE + 1,) * 2, np.uint8)
        beyond = (cv2.dilate(own, kernel) <= 8).astype(np.float32)
        self.own = own
        self.behind = continued(ground.pixels, beyond)
        x, y = np.meshgrid(*(np.arange(side, dtype=np.float32) for side in own.shape[::-1]))
        self.grid = np.dstack([x, y])
        self.texture = self._laid(plain, own)
        left = ground.pixels.astype(np.float32) - self.texture
        passed = disc(max(2, MOST * ground.short))
        beside = cv2.dilate(own, passed) != cv2.erode(own, passed)
        self.places = np.nonzero(beside & (np.abs(left).max(axis=2) > LACKS))
        self.left = left[self.places]

    def cover(self, shift: Floats) -> Plane:
        """Where the layer is, read at ``shift`` pixels from each place, ``[h, w]``."""
        places = self.grid + enlarged(shift, self.own.shape)
        out = cv2.remap(self.own, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(out, np.uint8)

    def before_sky(self, look: Frame, shift: Floats) -> Frame:
        """A look of the layer, read at ``shift``, over the sky behind it, ``[h, w, 3]``."""
        cover = self.cover(shift)
        out = self._laid(look, cover)
        changed = cover[self.places].astype(np.float32) - self.own[self.places]
        part = self.left * (np.abs(changed) / 255)[:, None]
        out[self.places] = np.clip(out[self.places] - part, 0, 255).round()
        return out

    def _laid(self, look: Frame, cover: Plane) -> Frame:
        share = cover.astype(np.float32) / 255
        return np.asarray(cv2.blendLinear(look, self.behind, share, 1 - share), np.uint8)


class SwayManner:
    """See `vivant.rendering.manners.manner.Manner`."""

    def __init__(self, ground: Ground, sway: Sway, rng: np.random.Generator) -> None:
        self.ground, self.sway = ground, sway
        self.fetcher = Fetcher(continued(ground.pixels, ground.sure_of_own))
        self.plain = self.fetcher.still
        before_sky = ground.open is not None and ground.open.any()
        self.outline = Outline(ground, self.plain) if before_sky else None
        self.texture = self.plain if self.outline is None else self.outline.texture
        nodes = coarse(ground.shape, max(2.0, ground.short / NODE))
        guide = cv2.resize(self.plain, nodes[::-1], interpolation=cv2.INTER_AREA)
        radius = max(2, round(GUIDE[0] * ground.short * nodes[0] / ground.shape[0]))
        self.guide = Guide(guide.astype(np.float32) / 255, radius, GUIDE[1])
        self.near = nearness(ground, nodes)
        self.free = freedom(ground, nodes) * self.near
        self.most = (MOST * ground.short * self.near)[..., None]
        self.modes = self._modes(nodes, rng)
        self.first = self._bent(0.0)

    def at(self, seconds: float) -> Frame:
        """See `Manner`."""
        shift = self._shift(seconds)
        look = self.fetcher.at(shift)
        return look if self.outline is None else self.outline.before_sky(look, shift)

    def cover(self, seconds: float) -> Plane | None:
        """See `vivant.rendering.manners.manner.Outlined`."""
        return None if self.outline is None else self.outline.cover(self._shift(seconds))

    def shown(self, seconds: float) -> Shown:
        """See `Manner`."""
        return one_texture(self._shift(seconds), self.ground.shape)

    def flow(self, seconds: float) -> Floats:
        """See `Manner`."""
        return rate_of(self._shift, seconds, self.ground.short)

    def _shift(self, seconds: float) -> Floats:
        return self.first - self._bent(seconds)

    def _bent(self, seconds: float) -> Floats:
        """How far the wind has bent each node, pixels: towards a limit."""
        wanted = self.modes.at(seconds)
        size = np.linalg.norm(wanted, axis=-1, keepdims=True)
        return np.asarray(wanted / np.sqrt(1 + (size / self.most) ** 2), np.float32)

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
            noise = np.stack([cv2.GaussianBlur(one, (0, 0), FOLDS) for one in noise])
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
        """How far from where it is held a place is, 0 to 1: above the foot of what stands there,
        or below where it hangs."""
        own = cv2.resize(_own(self.ground), nodes[::-1], interpolation=cv2.INTER_AREA) > 127
        step = self.ground.shape[0] / nodes[0] / self.ground.short
        stands = np.ones(nodes, np.float32)
        if self.ground.near is not None and self.sway.foot >= 0.5:
            stands = upright(enlarged(self.ground.near, nodes), step)
        rows = range(nodes[0])
        lever, reached = np.zeros(nodes, np.float32), np.zeros(nodes[1], np.float32)
        for row in reversed(rows) if self.sway.foot >= 0.5 else rows:
            reached = (reached + step) * own[row] * stands[row]
            lever[row] = reached
        soft = cv2.GaussianBlur(lever, (0, 0), 0.03 / step)
        return np.asarray(np.clip(soft / 0.4, 0, 1), np.float32)


def nearness(ground: Ground, nodes: tuple[int, int]) -> Floats:
    """Share of a near plant's sway that is seen at each place."""
    if ground.near is None:
        return np.ones(nodes, np.float32)
    near = np.clip(enlarged(ground.near, nodes), 0, 1) ** NEARER
    return np.asarray(np.clip(1.2 * near, FAR, 1), np.float32)


def upright(near: Floats, step: float) -> Floats:
    """How much what is seen at each node stands rather than lies, 0..1: inverse depth ``near``
    ``[rows, columns]``, nodes ``step`` short sides apart, is the same up and down what stands."""
    smooth = cv2.GaussianBlur(np.log(np.maximum(near, 0.02)), (0, 0), 0.02 / step)
    falls = np.gradient(smooth, step, axis=0)
    return np.asarray(np.clip(2 - np.maximum(falls, 0) / LEVEL, 0, 1), np.float32)


def freedom(ground: Ground, nodes: tuple[int, int]) -> Floats:
    """How free each place is to move, 0..1: fine texture is, what is coarse, blurred or near the
    layer's edge to what holds is not."""
    edge = _from_edge(ground)
    texture = continued(ground.pixels, ground.sure_of_own)
    grey = cv2.cvtColor(texture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), max(0.8, ground.short / 300))
    known = ground.sure_of_own
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
    along = np.clip((xx - yy) / energy, 0, 1)
    strong = np.clip(energy / (2 * float(np.median(energy)) + 1e-3), 0, 1)
    found = np.clip((coherence * along - 0.35) / 0.35, 0, 1) * strong
    wide = max(3, round(TRUNK * unit)) | 1
    found = cv2.morphologyEx(found.astype(np.float32), cv2.MORPH_CLOSE, np.ones((1, wide)))
    return np.asarray(found, np.float32)


def _from_edge(ground: Ground) -> Floats:
    """0 at the layer's edge to what holds, 1 farther inside, ``[h, w]``; the picture's own edge is
    none, nor is that to the sky."""
    own = (ground.matte > 127).astype(np.uint8)
    wide = cv2.copyMakeBorder(own, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    away = cv2.distanceTransform(wide, cv2.DIST_L2, 3)[1:-1, 1:-1]
    return np.asarray(np.clip(away / max(1.0, RIM * ground.short), 0, 1), np.float32)


def _own(ground: Ground) -> Plane:
    """What is of the layer itself, ``[h, w]``."""
    return ground.matte if ground.own is None else ground.own
