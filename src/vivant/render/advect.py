"""Advected textures: backward maps that follow the motion, renewed before they stretch.

A backward map says where in the picture each place of a frame comes from. It is carried
along by the motion, ``B_t(y) = B_{t-1}(y - v dt)``. Where motion drifts, everything is
pulled from upstream and stretches without bound, so a second map that begins anew from the
picture takes over while the first fades (Max and Becker, "Flow visualization using moving
textures", 1996; Neyret, "Advected textures", 2003; for the seamless loop Holynski et al.,
"Animating pictures with Eulerian motion fields", CVPR 2021). Where motion only sways, one map
serves for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from vivant.clip import Floats
from vivant.render.guided import smoothstep
from vivant.render.work import WorkMotion

PERIOD_SECONDS = 2.5
TAKEOVER = 0.4
DRIFT_DISTANCE = (0.015, 0.05)
DRIFT_SHARE = (0.25, 0.55)


@dataclass(frozen=True)
class Layers:
    """The two displacements of one frame, ``[hw, ww, 2]`` work pixels from a place to its
    source, and the weight ``share`` 0..1 of ``later``."""

    now: Floats
    later: Floats
    share: float


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


def drift_matte(motion: WorkMotion, period: float) -> Floats:
    """Where motion travels rather than sways, ``[hw, ww]`` 0..1."""
    short = min(motion.size)
    mean = np.linalg.norm(motion.mean, axis=-1)
    path = np.linalg.norm(motion.velocity, axis=-1).mean(axis=0)
    distance = smoothstep(*DRIFT_DISTANCE, mean * period / short)
    share = smoothstep(*DRIFT_SHARE, mean / (path + 1e-6))
    return np.asarray(cv2.GaussianBlur(distance * share, (0, 0), 2.0), np.float32)


def period_of(seconds: float, loop: bool) -> float:
    """Renewal period: 2.5 s, or the nearest that divides a loop evenly."""
    if not loop:
        return PERIOD_SECONDS
    return seconds / max(1, round(seconds / PERIOD_SECONDS))


def layers(motion: WorkMotion, count: int, fps: float, loop: bool) -> Iterator[Layers]:
    """The layers of frames 0 .. ``count`` - 1; the first has no displacement at all.

    Memory holds one period. In a loop, frame ``count`` would be frame 0 again.
    """
    seconds = count / fps
    period = period_of(seconds, loop)
    drift = drift_matte(motion, period)[..., None]
    sway = _sway(motion, count, fps, loop)
    grid = grid_of(motion.size)
    later: list[Floats] = []
    now = np.zeros_like(grid)
    anchor = 0
    for frame in range(count):
        if frame >= round((anchor + 1) * period * fps):
            anchor += 1
            now = np.zeros_like(grid)
        start, stop = (round((anchor + i) * period * fps) for i in (0, 1))
        if frame == start:
            later = _towards(motion, start, stop, fps, grid)
        held = next(sway)
        yield Layers(
            now=_blend(held, now, drift),
            later=_blend(held, later[frame - start], drift),
            share=takeover((frame - start) / (stop - start)),
        )
        now = carry(now, motion.at((frame + 0.5) / fps) / fps, grid)


def takeover(phase: float) -> float:
    """Weight of the later layer at a share ``phase`` of the period: none in its first part,
    where the earlier one is still a faithful continuation, then a smooth rise to 1."""
    t = max(0.0, (phase - TAKEOVER) / (1 - TAKEOVER))
    return t * t * (3 - 2 * t)


def _blend(held: Floats, drifting: Floats, drift: Floats) -> Floats:
    return np.asarray(held + drift * (drifting - held), np.float32)


def _towards(motion: WorkMotion, start: int, stop: int, fps: float, grid: Floats) -> list[Floats]:
    """Displacements of frames ``start`` .. ``stop`` - 1 of the layer anchored at ``stop``."""
    displacement = np.zeros_like(grid)
    backwards = []
    for frame in range(stop - 1, start - 1, -1):
        displacement = carry(displacement, -motion.at((frame + 0.5) / fps) / fps, grid)
        backwards.append(displacement)
    return backwards[::-1]


def _sway(motion: WorkMotion, count: int, fps: float, loop: bool) -> Iterator[Floats]:
    """Displacements under the motion less its mean; in a loop they come back to zero.

    Outside a loop the mean stays while the field has not repeated yet: nothing accumulates.
    """
    grid = grid_of(motion.size)
    left = _sway_end(motion, count, fps) if loop else None
    displacement = np.zeros_like(grid)
    for frame in range(count):
        if left is None:
            yield displacement
        else:
            yield displacement - left * np.float32(frame / count)
        displacement = carry(displacement, sway_step(motion, frame, fps, loop), grid)


def sway_step(motion: WorkMotion, frame: int, fps: float, loop: bool) -> Floats:
    """Displacement ``[hw, ww, 2]`` of what sways, from a frame to the next, in work pixels."""
    seconds = (frame + 0.5) / fps
    less = np.float32(1.0 if loop else np.clip(2 * (seconds / motion.seconds - 1), 0, 1))
    return np.asarray((motion.at(seconds) - less * motion.mean) / np.float32(fps), np.float32)


def _sway_end(motion: WorkMotion, count: int, fps: float) -> Floats:
    grid = grid_of(motion.size)
    displacement = np.zeros_like(grid)
    for frame in range(count):
        displacement = carry(displacement, sway_step(motion, frame, fps, loop=True), grid)
    return displacement
