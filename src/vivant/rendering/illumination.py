"""Light that changes over a clip: every change is nothing in the first frame, grows, and returns
where the clip loops.

- sun: comes more and more from one side. What faces it is lit, warm, what does not is shaded, cool,
  and the air (sky) is brighter on its side.
- clouds: their shadows wander over all but the sky, in perspective.
- sweep: a beam goes once over all but the sky.
- dusk: darker and warm, the ground more than the sky; lamps stay.
- warmer, cooler, brighter, darker: all of it, lamps and all.
- flicker: of lamps and flames, with what they light.

Gains are in stops of linear light; what is brightened keeps its highlights.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.controls.light import Light
from vivant.rendering.camera import ease
from vivant.rendering.manners.manner import enlarged
from vivant.rendering.surfaces import Surfaces

GAMMA = 2.2
"""The display curve is taken as this power."""
WARM = np.array([1.15, 1.0, 0.75], np.float32)
"""Of each channel's change where light of the sun comes or goes: what it leaves is cool."""
SUN, SIDE, AIR = 2.2, 0.9, 0.7
"""Stops by which a sun of amount 1 lights what faces it, what lies on its side, and the sky."""
SHADOW, SHADE = 1.7, np.array([1.1, 1.0, 0.85], np.float32)
"""Stops of a cloud's shadow, and of each channel in it."""
CLOUD, WANDERS = 0.9, 0.22
"""Width of a cloud's shadow, and its way in a second, in units of the middle depth."""
GATHERS = 1.2
"""Seconds in which shadows gather, and leave where the clip loops; half of the clip at most."""
BEAM, BEAM_WIDTH = 1.6, 0.32
"""Stops of a beam, and its half width in picture widths."""
DUSK = np.array([-1.9, -2.2, -2.5], np.float32)
DUSK_SKY = np.array([-0.9, -1.3, -1.5], np.float32)
TONES = {
    "warmer": np.array([0.45, -0.08, -0.6], np.float32),
    "cooler": np.array([-0.6, -0.05, 0.5], np.float32),
    "brighter": np.array([1.5, 1.5, 1.5], np.float32),
    "darker": np.array([-2.0, -2.0, -2.0], np.float32),
}
FLICKER = 1.5
RATES = ((0.9, 0.3), (2.3, 0.3), (4.1, 0.25), (7.3, 0.15))
"""Hertz of a flicker, and their shares."""
TILE = 96


@dataclass(frozen=True, eq=False)
class Illumination:
    """The ``changes`` of the light over ``seconds``; it ends as it began where it is a ``loop``."""

    changes: tuple[Light, ...]
    seconds: float
    loop: bool = False
    seed: int = 0
    _kept: dict[str, Floats] = field(default_factory=dict, repr=False)

    def stops(self, surfaces: Surfaces, at: float) -> Floats:
        """Stops ``[H, W, 3]`` of linear light by which each channel changes ``at`` seconds."""
        total = np.zeros((*surfaces.sky.shape, 3), np.float32)
        for number, change in enumerate(self.changes):
            _MADE.get(change.change, _toned)(self, total, surfaces, change, at, number)
        total *= surfaces.free[..., None]
        return _grey(total) if surfaces.grey else total

    def lit(self, frame: Frame, surfaces: Surfaces, at: float) -> Frame:
        """A frame ``[H, W, 3]`` in the light ``at`` seconds; itself at 0."""
        return frame if at == 0 else relit(frame, self.stops(surfaces, at))

    def grown(self, at: float) -> float:
        """How far the slow changes have come, 0..1."""
        return ease(min(1.0, at / max(self.seconds, 1e-6)), self.loop)

    def gathered(self, at: float) -> float:
        """How far shadows have gathered, 0..1."""
        within = min(GATHERS, self.seconds / 2)
        left = min(at, self.seconds - at) if self.loop else at
        return ease(float(np.clip(left / max(within, 1e-6), 0, 1)), False)

    def wave(self, at: float, number: int) -> float:
        """A flicker -1..1, 0 at the beginning, and at the end of a loop."""
        total = 0.0
        for rate, share in RATES:
            own = rate * (1 + 0.13 * ((number * 5 + self.seed) % 7 - 3) / 3)
            turns = max(1, round(own * self.seconds)) / self.seconds if self.loop else own
            side = 1 if (number + round(rate)) % 2 else -1
            total += side * share * np.sin(2 * np.pi * turns * at)
        return float(total)

    @cached_property
    def pattern(self) -> Floats:
        """Clouds from above, 0 clear to 1 ``[TILE, TILE]``, without an edge."""
        rng = np.random.default_rng([self.seed, 71])
        noise = np.tile(rng.standard_normal((TILE, TILE)).astype(np.float32), (3, 3))
        soft = cv2.GaussianBlur(noise, (0, 0), 6.0)[TILE : 2 * TILE, TILE : 2 * TILE]
        level = (soft - soft.mean()) / max(float(soft.std()), 1e-6)
        share = np.clip((level + 0.7) / 2.4, 0, 1)
        return np.asarray(share * share * (3 - 2 * share), np.float32)


def relit(frame: Frame, stops: Floats) -> Frame:
    """A frame ``[H, W, 3]`` whose linear light changes by ``stops`` ``[H, W, 3]``. What is
    brightened nears white without reaching it, so that highlights keep their shape."""
    gain = cv2.exp(stops * np.float32(np.log(2) / GAMMA))
    level = frame.astype(np.float32)
    out = level * gain / (1 + np.maximum(gain - 1, 0) * level * np.float32(1 / 255))
    return np.asarray(np.clip(np.rint(out), 0, 255), np.uint8)


def _grey(stops: Floats) -> Floats:
    """Stops that change all channels alike."""
    return np.repeat(stops.mean(axis=2, keepdims=True), 3, axis=2)


def _sun(
    own: Illumination, total: Floats, on: Surfaces, change: Light, at: float, number: int
) -> None:
    grown = own.grown(at) * change.amount
    x, y = {"left": (-1, 0), "right": (1, 0), "up": (0, 1), "down": (0, -1)}[change.towards]
    h, w = on.sky.shape
    side = np.linspace(-x, x, w, dtype=np.float32)[None] * np.ones((h, 1), np.float32)
    facing = SUN * (x * on.across + y * on.up) + SIDE * side
    plain = facing * (1 - on.sky) + AIR * side * on.sky
    total += (grown * plain)[..., None] * WARM


def _clouds(
    own: Illumination, total: Floats, on: Surfaces, change: Light, at: float, number: int
) -> None:
    way = 1 if change.towards == "right" else -1
    middle = float(np.median(on.ground[..., 1]))
    scale = TILE / 6 / (CLOUD * middle)
    across = (on.ground[..., 0] - way * WANDERS * middle * at) * scale
    away = np.log(on.ground[..., 1] / middle) * middle * scale
    places = np.dstack([across, away]).astype(np.float32) % TILE
    few = cv2.remap(own.pattern, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    shade = enlarged(cv2.GaussianBlur(few, (0, 0), 1.0), on.sky.shape)
    depth = -SHADOW * change.amount * own.gathered(at)
    total += (depth * shade * (1 - on.sky))[..., None] * SHADE


def _sweep(
    own: Illumination, total: Floats, on: Surfaces, change: Light, at: float, number: int
) -> None:
    way = 1 if change.towards == "right" else -1
    share = at / max(own.seconds, 1e-6)
    h, w = on.sky.shape
    middle = 0.5 + way * (share - 0.5) * (1 + 2 * BEAM_WIDTH)
    lean = np.linspace(0.06, -0.06, h, dtype=np.float32)[:, None]
    off = (np.linspace(0, 1, w, dtype=np.float32)[None] + lean - middle) / BEAM_WIDTH
    beam = np.where(np.abs(off) < 1, 0.5 + 0.5 * np.cos(np.pi * np.clip(off, -1, 1)), 0)
    light = BEAM * change.amount * beam * (1 - on.sky) * _ends(share)
    total += light[..., None].astype(np.float32) * WARM


def _ends(share: float) -> float:
    """1, and 0 at the very beginning and end, where a beam leans into the picture."""
    return float(np.clip(min(share, 1 - share) / 0.08, 0, 1))


def _dusk(
    own: Illumination, total: Floats, on: Surfaces, change: Light, at: float, number: int
) -> None:
    grown = np.float32(own.grown(at) * change.amount)
    stays = np.ones_like(on.sky)
    for lamp in on.lamps:
        stays *= 1 - np.clip(lamp, 0, 1)
    total += (grown * stays * (1 - on.sky))[..., None] * DUSK
    total += (grown * stays * on.sky)[..., None] * DUSK_SKY


def _toned(
    own: Illumination, total: Floats, on: Surfaces, change: Light, at: float, number: int
) -> None:
    total += np.float32(own.grown(at) * change.amount) * TONES[change.change]


def _flicker(
    own: Illumination, total: Floats, on: Surfaces, change: Light, at: float, number: int
) -> None:
    for group, lamp in enumerate(on.lamps):
        strength = np.float32(FLICKER * change.amount * own.wave(at, group))
        total += (strength * lamp)[..., None] * WARM


_MADE = {"sun": _sun, "clouds": _clouds, "sweep": _sweep, "dusk": _dusk, "flicker": _flicker}
