"""Advected textures: backward maps that follow the motion, renewed before they stretch.

A backward map says where in the picture each place of a frame comes from. It is carried
along by the motion, ``B_t(y) = B_{t-1}(y - v dt)``. Where motion drifts, everything is
pulled from upstream and stretches without bound, so another map that begins anew from the
picture takes over while the first fades (Max and Becker, "Flow visualization using moving
textures", 1996; Neyret, "Advected textures", 2003; for the seamless loop Holynski et al.,
"Animating pictures with Eulerian motion fields", CVPR 2021), at times that differ from place to
place (`vivant.rendering.renewal`). Where motion only sways, one map serves for ever; it falls back
slowly to its place, so that nothing adds up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, tee
from math import ceil

import cv2
import numpy as np

from vivant.clip import Floats
from vivant.field.operations import smoothstep
from vivant.rendering.parameters import RENDERING, Rendering
from vivant.rendering.renewal import Renewal, renewal
from vivant.rendering.work import WorkMotion

TICKS = 10
"""Maps are carried at least so many times a second, whatever the frame rate."""


@dataclass(frozen=True)
class Layers:
    """The displacements of the two textures that may be seen in a frame, ``[hw, ww, 2]`` work
    pixels from a place to its source, and the weight ``share`` ``[hw, ww]`` 0..1 of ``odd``."""

    even: Floats
    odd: Floats
    share: Floats

    @property
    def seen(self) -> list[Floats]:
        """One displacement where both are the same, else the two."""
        return [self.even] if self.even is self.odd else [self.even, self.odd]


@dataclass(frozen=True)
class Clock:
    """Ticks of ``dt`` seconds at which maps are carried: ``each`` in a frame, ``count`` in all."""

    dt: float
    each: int
    count: int

    @staticmethod
    def of(frames: int, fps: float) -> Clock:
        """The clock of a clip."""
        each = max(1, ceil(TICKS / fps))
        return Clock(1 / (fps * each), each, frames * each)

    def middle(self, tick: int) -> float:
        """Seconds in the middle between a tick and the next."""
        return (tick + 0.5) * self.dt


def grid_of(size: tuple[int, int]) -> Floats:
    """Pixel coordinates ``[h, w, 2]`` (x, y)."""
    x, y = np.meshgrid(np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32))
    return np.stack([x, y], axis=-1)


def carry(displacement: Floats, step: Floats, grid: Floats) -> Floats:
    """Displacement after the content moved by ``step`` (both ``[h, w, 2]`` pixels)."""
    source = cv2.subtract(grid, step)
    moved = cv2.remap(
        displacement,
        source,
        None,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cv2.subtract(moved, step), np.float32)


def drift_matte(motion: WorkMotion, rendering: Rendering = RENDERING) -> Floats:
    """Where motion travels rather than sways, ``[hw, ww]`` 0..1."""
    short = min(motion.size)
    mean = np.linalg.norm(motion.mean, axis=-1)
    path = np.linalg.norm(motion.velocity, axis=-1).mean(axis=0)
    distance = smoothstep(*rendering.drift_distance, mean * rendering.drift_seconds / short)
    share = smoothstep(*rendering.drift_share, mean / (path + 1e-6))
    blurred = cv2.GaussianBlur(distance * share, (0, 0), rendering.drift_blur)
    return np.asarray(blurred, np.float32)


def layers(
    motion: WorkMotion, count: int, fps: float, loop: bool, rendering: Rendering = RENDERING
) -> Iterator[Layers]:
    """The layers of frames 0 .. ``count`` - 1; the first has no displacement at all.

    Memory does not grow with ``count``. In a loop, frame ``count`` would be frame 0 again.
    """
    clock = Clock.of(count, fps)
    for_sway, for_drift = tee(_steps(motion, clock))
    sway = _sway(motion, for_sway, clock, loop, rendering)
    drift = drift_matte(motion, rendering)[..., None]
    if not drift.any():
        nothing = np.zeros(drift.shape[:2], np.float32)
        for held in sway:
            yield Layers(held, held, nothing)
        return
    plan = renewal(motion.size, count / fps, loop, rendering)
    for held, seen in zip(sway, _drift(motion, for_drift, clock, plan), strict=True):
        both = [np.asarray(held + drift * (d - held), np.float32) for d in seen.seen]
        yield Layers(both[0], both[-1], seen.share)


def _steps(motion: WorkMotion, clock: Clock, backwards: bool = False) -> Iterator[Floats]:
    """How far everything moves from each tick to the next, ``[hw, ww, 2]`` work pixels."""
    ticks = range(clock.count)
    for tick in reversed(ticks) if backwards else ticks:
        yield motion.at(clock.middle(tick)) * np.float32(clock.dt)


def _drift(
    motion: WorkMotion, steps: Iterator[Floats], clock: Clock, plan: Renewal
) -> Iterator[Layers]:
    """What the textures show, frame by frame, if all of the motion drifts."""
    grid = grid_of(motion.size)
    alive = {0: np.zeros_like(grid)}
    coming = _Coming(motion, clock, plan, grid)
    for tick, step in enumerate(steps):
        seconds = tick * clock.dt
        alive |= coming.at(tick)
        alive = {n: d for n, d in alive.items() if plan.wanted(n, seconds)}
        if tick % clock.each == 0:
            yield _shown(alive, plan, seconds)
        alive = {n: carry(d, step, grid) for n, d in alive.items() if n != plan.last}


def _shown(alive: dict[int, Floats], plan: Renewal, seconds: float) -> Layers:
    """Even and odd textures by turns: where one is seen alone, the other changes its number."""
    first, *rest = sorted(alive)
    slots = [alive[first], alive[first]]
    share = np.full(plan.lag.shape, first % 2, np.float32)
    for number in rest:
        begun = plan.begins(number) <= seconds
        if not begun.any():
            continue
        slots[number % 2] = np.where(begun[..., None], alive[number], slots[number % 2])
        weight = plan.weight(number, seconds)
        share = np.where(begun, weight if number % 2 else 1 - weight, share)
    return Layers(slots[0], slots[1], share)


class _Coming:
    """Textures whose time has come: new ones begin without displacement; the one that closes a
    loop is seen before its time, so its displacements are carried backwards from the end."""

    def __init__(self, motion: WorkMotion, clock: Clock, plan: Renewal, grid: Floats) -> None:
        self.motion, self.clock, self.plan, self.grid = motion, clock, plan, grid
        self.next = 1
        self.closing: list[Floats] = []

    def at(self, tick: int) -> dict[int, Floats]:
        """The texture that begins anew at a tick, if one does; the closing one at every tick."""
        number, plan = self.next, self.plan
        if tick * self.clock.dt + 1e-9 < number * plan.interval:
            return {}
        if number != plan.last:
            self.next += 1
            return {number: np.zeros_like(self.grid)}
        self.closing = self.closing or self._backwards(tick)
        return {number: self.closing.pop()}

    def _backwards(self, start: int) -> list[Floats]:
        """Displacements of the closing texture, the one of tick ``start`` last."""
        displacement = np.zeros_like(self.grid)
        found = []
        steps = _steps(self.motion, self.clock, backwards=True)
        for step in islice(steps, self.clock.count - start):
            displacement = carry(displacement, -step, self.grid)
            found.append(displacement)
        return found


def _sway(
    motion: WorkMotion, steps: Iterator[Floats], clock: Clock, loop: bool, rendering: Rendering
) -> Iterator[Floats]:
    """Displacements of the frames under the motion less its mean; in a loop they come back to
    zero. Outside a loop the mean stays within the field's own steps: nothing accumulates."""
    left = _swayed_end(motion, clock, rendering) if loop else None
    for tick, displacement in enumerate(_swayed(motion, steps, clock, loop, rendering)):
        if tick == clock.count:
            return
        if tick % clock.each:
            continue
        if left is None:
            yield displacement
        else:
            yield displacement - left * np.float32(tick / clock.count)


def _swayed(
    motion: WorkMotion, steps: Iterator[Floats], clock: Clock, loop: bool, rendering: Rendering
) -> Iterator[Floats]:
    """The displacement at every tick, and after the last."""
    grid = grid_of(motion.size)
    displacement = np.zeros_like(grid)
    for tick, step in enumerate(steps):
        yield displacement
        seconds = clock.middle(tick)
        less = 1.0 if loop else float(np.clip(2 * (seconds / motion.seconds - 1), 0, 1))
        swaying = step - motion.mean * np.float32(less * clock.dt)
        stays = np.float32(1 - less * clock.dt / rendering.sway_memory)
        displacement = carry(displacement, swaying, grid) * stays
    yield displacement


def _swayed_end(motion: WorkMotion, clock: Clock, rendering: Rendering) -> Floats:
    everything = _swayed(motion, _steps(motion, clock), clock, True, rendering)
    return deque(everything, maxlen=1)[0]
