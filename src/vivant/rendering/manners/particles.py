"""Particles: snow and rain that fall, and embers that rise, before everything else, one by one.

Every flake that the picture shows (`vivant.rendering.manners.flakes`) is cut out and falls at a
speed of its own, the larger ones, which are nearer, the faster, and flutters. What has left at the
lower edge comes in again above, elsewhere, so that there are always as many. A flake is as bright
as flakes are where it is: what falls past a lamp lights up. Other layers move the picture without
its flakes. Rain is what is drawn out and leans alike; embers, which glow, go up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vivant.clip import Floats, Frame, Plane
from vivant.rendering.manners.flakes import Flakes, Labels, embers, flakes_of, lifted
from vivant.rendering.manners.manner import STEP, Ground, Shown, coarse
from vivant.rendering.noise import closed

SNOW, RAIN, EMBERS = "snow", "rain", "embers"
NEARER, SLOWEST, FASTEST = 0.6, 0.55, 2.2
"""Speed goes with size to this power, between these factors."""
LIT, DIM, BRIGHT = 1 / 9, 0.3, 2.0
"""Light is taken to be alike over so many short sides, and changes a flake by these at most."""
NODES = 16.0
"""Pixels between nodes of the flow."""
SEEN = 0.15
"""Cover from which a pixel shows a flake."""


@dataclass(frozen=True)
class Particles:
    """``speed`` of a flake of the usual size, short sides a second; ``lean`` degrees from straight
    down, to the right where positive; ``flutter``: amplitude sideways in short sides, at about
    ``rate`` Hz; ``of``: which of the picture's specks they are, `SNOW`, `RAIN` or `EMBERS`."""

    speed: float = 0.3
    lean: float = 0.0
    flutter: float = 0.006
    rate: float = 0.6
    of: str = SNOW

    def scaled(self, factor: float) -> Particles:
        """The same fall, so many times as fast."""
        return replace(self, speed=self.speed * factor, flutter=self.flutter * min(factor, 2.0))


@dataclass(frozen=True, eq=False)
class Sprite:
    """What one flake covers, ``[h, w, 3]`` 0..1, and its left and upper edge, pixels."""

    cover: Floats
    left: int
    top: int


class ParticlesManner:
    """See `vivant.rendering.manners.manner.Manner`; ``beneath`` ``[h, w, 3]`` is the picture
    without what falls, which other layers move."""

    def __init__(self, ground: Ground, particles: Particles, rng: np.random.Generator) -> None:
        self.ground, self.particles = ground, particles
        self.texture = ground.pixels
        flakes = specks_of(ground.pixels, particles.of)
        self.beneath, cover, of = lifted(ground.pixels, flakes)
        self.sprites = sprites(cover, of, len(flakes.size))
        self.place, count = flakes.place, len(flakes.size)
        self.margin = max((max(s.cover.shape[:2]) for s in self.sprites), default=1) + 2.0
        self.span = np.array(ground.shape[::-1], np.float32) + 2 * self.margin
        self.speed = self._speeds(flakes, rng)
        self.rate = closed(
            np.asarray(particles.rate * np.exp(rng.normal(0, 0.3, (count, 2))), np.float32),
            ground.loop,
        )
        self.phase = rng.uniform(0, 2 * np.pi, (count, 2)).astype(np.float32)
        self.seed = int(rng.integers(2**31))
        self.entries: dict[int, Floats] = {}
        self.light = light_of(self.sprites, flakes, ground)
        self.lit = self._light(self.place)

    def at(self, seconds: float) -> Frame:
        """See `Manner`."""
        cover = np.zeros((*self.ground.shape, 3), np.float32)
        for number, by, sprite in self._falling(seconds):
            _lay(cover, sprite.cover * np.float32(number), sprite, by)
        np.minimum(cover, 1, out=cover)
        look = self.beneath + cover * (255 - self.beneath.astype(np.float32))
        return np.asarray(np.round(look), np.uint8)

    def shown(self, seconds: float) -> Shown:
        """See `Manner`; only where a flake is seen, which lets through what is behind it."""
        shift = np.zeros((*self.ground.shape, 2), np.float32)
        cover = np.zeros((*self.ground.shape, 3), np.float32)
        for gain, by, sprite in self._falling(seconds):
            box = _lay(cover, sprite.cover * np.float32(gain), sprite, by)
            if box is not None:
                own = cover[box].max(axis=2) > SEEN
                shift[box][own] = -by
        where = cover.max(axis=2) > SEEN
        none = np.zeros(self.ground.shape, np.float32)
        return Shown(shift, shift, none, exact=False, where=where)

    def flow(self, seconds: float) -> Floats:
        """See `Manner`: the mean over what each node sees, most of which is no flake."""
        nodes = coarse(self.ground.shape, NODES)
        total = np.zeros((*nodes, 2), np.float32)
        before, after = (self._places(seconds + side) for side in (-STEP, STEP))
        velocity = (after - before) / np.float32(2 * STEP * self.ground.short)
        now = self._places(seconds)
        scale = nodes[0] / self.ground.shape[0], nodes[1] / self.ground.shape[1]
        for number, sprite in enumerate(self.sprites):
            row, column = int(now[number, 1] * scale[0]), int(now[number, 0] * scale[1])
            again = np.abs(velocity[number]).max() > 5 * self.particles.speed + 1  # came in anew
            if 0 <= row < nodes[0] and 0 <= column < nodes[1] and not again:
                share = float(sprite.cover.mean(axis=2).sum()) * scale[0] * scale[1]
                total[row, column] += velocity[number] * np.float32(min(1.0, share))
        return total

    def _falling(self, seconds: float) -> Iterator[tuple[float, Floats, Sprite]]:
        """Brightness, way in pixels since t = 0, and looks of every flake that may be seen."""
        places = self._places(seconds)
        gains = np.clip(self._light(places) / self.lit, DIM, BRIGHT)
        for number, sprite in enumerate(self.sprites):
            yield float(gains[number]), places[number] - self.place[number], sprite

    def _places(self, seconds: float) -> Floats:
        """Centres ``[N, 2]`` of the flakes at a time, pixels."""
        rises = self.particles.of == EMBERS
        first = self.place[:, 1] + self.margin
        first = self.span[1] - first if rises else first
        gone = first + self.speed * np.float32(seconds)
        times = np.floor(gone / self.span[1]).astype(int)
        down = gone - times * self.span[1]
        slope = np.float32(np.tan(np.radians(self.particles.lean)))
        across = self.place[:, 0] + self.margin + slope * (down - first) + self._entered(times)
        across = across % self.span[0]
        flutter = np.float32(self.particles.flutter * self.ground.short)
        turn = 2 * np.pi * self.rate * np.float32(seconds) + self.phase
        sway = (np.sin(turn) - np.sin(self.phase)) @ np.array([0.8, 0.5], np.float32)
        row = self.span[1] - down if rises else down
        return np.asarray(
            np.stack([across + flutter * sway, row], axis=1) - self.margin, np.float32
        )

    def _entered(self, times: Labels) -> Floats:
        """How far from its first way each flake falls that has come in so many ``times``,
        pixels."""
        out = np.zeros(len(times), np.float32)
        for number in np.unique(times):
            own = times == number
            out[own] = self._entry(int(number))[own]
        if self.ground.loop is not None:  # after its last turn a flake is where it began
            turns = np.round(self.speed * self.ground.loop / self.span[1]).astype(int)
            out[times % turns == 0] = 0
        return out

    def _entry(self, number: int) -> Floats:
        if number not in self.entries:
            rng = np.random.default_rng([self.seed, number])
            wide = rng.uniform(0, self.span[0], len(self.place)) * (number > 0)
            self.entries[number] = wide.astype(np.float32)
        return self.entries[number]

    def _speeds(self, flakes: Flakes, rng: np.random.Generator) -> Floats:
        """Pixels a second ``[N]``; in a loop each falls through the picture a whole number of
        times."""
        usual = max(float(np.median(flakes.size)), 1e-3) if len(flakes.size) else 1.0
        near = np.clip((flakes.size / usual) ** NEARER, SLOWEST, FASTEST)
        each = near * np.exp(rng.normal(0, 0.12, len(near))) * self.particles.speed
        pixels = np.asarray(each * self.ground.short, np.float32)
        if self.ground.loop is None:
            return pixels
        turns = np.maximum(1, np.round(pixels * self.ground.loop / self.span[1]))
        return np.asarray(turns * self.span[1] / self.ground.loop, np.float32)

    def _light(self, places: Floats) -> Floats:
        """How bright flakes are at places ``[N, 2]`` pixels."""
        scale = np.array(self.light.shape[::-1], np.float32) / self.ground.shape[::-1]
        at = ((places + 0.5) * scale - 0.5).astype(np.float32).reshape(-1, 1, 2)
        if not len(at):
            return np.zeros(0, np.float32)
        out = cv2.remap(self.light, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(out[:, 0], np.float32)


def specks_of(pixels: Frame, of: str) -> Flakes:
    """The specks of a picture ``[H, W, 3]`` that are `SNOW`, `RAIN` or `EMBERS`."""
    flakes = flakes_of(pixels)
    if of == RAIN:
        return flakes.only(flakes.streaks)
    return flakes.only(embers(flakes, pixels)) if of == EMBERS else flakes


def everywhere(matte: Plane) -> Plane:
    """What falls is before everything, ``[H, W]``."""
    return np.full_like(matte, 255)


def sprites(cover: Floats, of: Labels, count: int) -> list[Sprite]:
    """Each flake cut out of what all of them cover, with a free pixel around it."""
    found = []
    order = np.argsort(of, axis=None, kind="stable")
    ends = np.searchsorted(of.ravel()[order], np.arange(count + 1))
    for number in range(count):
        rows, columns = np.unravel_index(order[ends[number] : ends[number + 1]], of.shape)
        top, left = int(rows.min()), int(columns.min())
        box = slice(top, int(rows.max()) + 1), slice(left, int(columns.max()) + 1)
        own = cover[box] * (of[box] == number)[..., None]
        found.append(Sprite(np.pad(own, ((1, 1), (1, 1), (0, 0))), left - 1, top - 1))
    return found


def light_of(found: list[Sprite], flakes: Flakes, ground: Ground) -> Floats:
    """How bright flakes are by place, on a coarse grid: the mean of those around."""
    nodes = coarse(ground.shape, ground.short / 40)
    total = np.zeros((*nodes, 2), np.float32)
    peaks = np.array([sprite.cover.max() for sprite in found], np.float32)
    scale = nodes[0] / ground.shape[0], nodes[1] / ground.shape[1]
    for (x, y), peak in zip(flakes.place, peaks, strict=True):
        at = min(nodes[0] - 1, int(y * scale[0])), min(nodes[1] - 1, int(x * scale[1]))
        total[at] += (peak, 1)
    near = cv2.GaussianBlur(total, (0, 0), LIT * 40)
    usual = float(peaks.mean()) if len(peaks) else 1.0
    floor = 0.1 * float(near[..., 1].mean()) + 1e-6
    return np.asarray((near[..., 0] + floor * usual) / (near[..., 1] + floor), np.float32)


def _lay(canvas: Floats, cover: Floats, sprite: Sprite, by: Floats) -> tuple[slice, slice] | None:
    """Add a sprite to a canvas ``[h, w, 3]``, ``by`` pixels x, y from its place; the box that was
    touched, None where it is outside."""
    whole = np.floor(by).astype(int)
    part = by - whole
    if part.any():
        turn = np.array([[1, 0, part[0]], [0, 1, part[1]]], np.float32)
        size = cover.shape[1] + 1, cover.shape[0] + 1
        cover = cv2.warpAffine(cover, turn, size, flags=cv2.INTER_LINEAR)
    left, top = sprite.left + int(whole[0]), sprite.top + int(whole[1])
    h, w = cover.shape[:2]
    rows = slice(max(0, top), min(canvas.shape[0], top + h))
    columns = slice(max(0, left), min(canvas.shape[1], left + w))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return None
    canvas[rows, columns] += cover[rows.start - top : rows.stop - top,
                                   columns.start - left : columns.stop - left]  # fmt: skip
    return rows, columns
