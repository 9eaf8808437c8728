"""Footage that goes on, from its own last velocities, scene and light."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.asset import Assets
from vivant.clip import Floats, Frame, Picture
from vivant.errors import UsageError
from vivant.footage.cycle import Cycle, cycle_of
from vivant.footage.detail import Detail, detail_of, kept
from vivant.footage.grain import Grain, calmed, grain_of
from vivant.footage.longer import lengthened
from vivant.footage.momentum import Momentum, eased, lagging, momentum_of
from vivant.footage.observed import observed
from vivant.footage.onward import carried, fluid, onward
from vivant.footage.piece import Means, Piece, Sampler
from vivant.footage.source import Footage
from vivant.footage.travel import cells_of, ground_below, travelling_on
from vivant.motion.held import look
from vivant.rendering.bodies import rims
from vivant.rendering.layers import Stage
from vivant.rendering.parameters import RENDERING
from vivant.rendering.upon import Travellers
from vivant.request import Request, SourceType, Target
from vivant.scene.surround import find_surround

LOOKED_BACK = 1.0
"""Seconds of footage from which its velocities are taken."""
REMEMBERED, MEMORY = 3.0, 384 << 20
"""Seconds, and bytes, in which a cycle is looked for."""
CALMING = 6
"""Frames over which noise is averaged away."""
LIGHT_SECONDS, MOST_LIGHT = 0.8, 16.0
"""Seconds in which a change of light comes to rest, and levels by which it may go on."""


@dataclass(frozen=True, eq=False)
class Continuation:
    """What comes after ``last`` ``[H, W, 3]``: the layers of ``stage`` at their pace, ``things``
    that travel upon them, all else that moved and the camera by their ``momentum``, light as it
    changed, noise of the same ``grain``, ``detail`` as strong as it was, what moved in a ``cycle``
    in it; what is around the scene (``surround`` ``[H, W]``) holds."""

    last: Frame
    stage: Stage
    things: Travellers
    momentum: Momentum
    light: Floats
    grain: Grain
    surround: NDArray[np.bool_] | None
    detail: Detail
    cycle: Cycle | None
    seed: int

    def at(self, seconds: float, number: int) -> Frame:
        """The ``number``-th frame, ``seconds`` after the last one."""
        frame = self.things.upon(self.stage.at(seconds), number)
        frame = self.momentum.moved(frame, seconds)
        change = self.light * np.float32(eased(seconds, LIGHT_SECONDS))
        if float(np.abs(change).max()) >= 0.3:
            size = (frame.shape[1], frame.shape[0])
            levels = np.clip(change, -MOST_LIGHT, MOST_LIGHT)
            wide = cv2.resize(levels, size, interpolation=cv2.INTER_CUBIC)
            frame = np.asarray(np.clip(np.rint(frame + wide), 0, 255), np.uint8)
        rng = np.random.default_rng([self.seed, number])
        if self.grain.there:
            frame = self.grain.added(frame, rng)
        frame = kept(frame, self.last, self.detail, rng)
        if self.cycle is not None:
            frame = self.cycle.upon(frame, number)
        return self._surrounded(frame)

    def _surrounded(self, frame: Frame) -> Frame:
        if self.surround is not None:
            frame[self.surround] = self.last[self.surround]
        return frame


def continued(
    frames: Sequence[Frame], fps: float, model: Sampler, seed: int = 0, back: bool = False
) -> Continuation:
    """How the last seconds of footage (``frames`` ``[H, W, 3]``, 2 at least) go on; ``back``: they
    are in reversed order, and so is time."""
    last = frames[-1]
    seen = observed(list(frames)[-max(2, round(LOOKED_BACK * fps)) :], fps)
    few = list(frames)[-CALMING:]
    grain = grain_of(few)
    base = calmed(few, grain)
    looked = look(Picture(base), model.runtime)
    h, w = seen.mean.shape[:2]
    flows = np.asarray(fluid(looked, (w, h)) / np.float32(255), np.float32)
    momentum, steady = momentum_of(seen, flows)
    surround = find_surround(base)
    plane = None if surround is None else np.where(surround, np.uint8(255), np.uint8(0))
    bodies = travelling_on(frames, fps, looked, base)
    ground = ground_below(frames, base, bodies)
    things = Travellers(base, ground, bodies, rims(base, ground, bodies), surround, RENDERING)
    stage = onward(ground, looked, steady, seen.shaken, model.priors, seed, held=plane, back=back)
    momentum = lagging(momentum, steady, carried(stage, (w, h)), flows)
    momentum = momentum.without(cells_of(bodies, (w, h)))
    cycle = None if any(momentum.camera) else cycle_of(frames, fps, (1 - flows) ** 2)
    if cycle is not None:
        momentum = momentum.without(cv2.resize(cycle.mask, (w, h), interpolation=cv2.INTER_AREA))
    return Continuation(
        last, stage, things, momentum, seen.light, grain, surround, detail_of(last), cycle, seed
    )


def remembered(fps: float, size: tuple[int, int]) -> int:
    """Frames of ``size`` (width, height) of which one that goes on remembers most."""
    most = MEMORY // (3 * size[0] * size[1])
    return max(2, round(LOOKED_BACK * fps), min(round(REMEMBERED * fps), most))


def extended(request: Request, assets: Assets, target: Target, means: Means) -> Piece:
    """Footage with seconds made up after (or before) it. Raises UsageError where it becomes too
    long, or does not end on a second frame of its last shot."""
    longer = lengthened(request, assets, target)
    footage, edit = longer.footage, longer.edit
    start, stop = footage.shots[0 if edit.before else -1]
    if stop - start < 2:
        raise UsageError(
            f"A cut leaves one frame at the {'start' if edit.before else 'end'} of"
            f" {footage.asset.name}, which tells of no motion; cut it off first."
        )
    if not isinstance(means.builtin, Sampler):
        raise UsageError("Footage goes on by the built-in model only.")
    span = min(stop - start, remembered(footage.info.fps, footage.size))
    work = _Work(footage, means.builtin, span, longer.added, request.seed)
    frames = work.before if edit.before else work.after
    return Piece(longer.video, frames, longer.notes, SourceType.COMPOSITE, longer.sound)


@dataclass(frozen=True, eq=False)
class _Work:
    """``added`` frames from the ``span`` frames beside them."""

    footage: Footage
    model: Sampler
    span: int
    added: int
    seed: int

    def after(self) -> Iterator[Frame]:
        """The footage, then what is made up."""
        kept: deque[Frame] = deque(maxlen=self.span)
        for frame in self.footage.frames():
            kept.append(frame)
            yield frame
        fps = self.footage.info.fps
        more = continued(kept, fps, self.model, self.seed)
        for k in range(1, self.added + 1):
            yield more.at(k / fps, k)

    def before(self) -> Iterator[Frame]:
        """What is made up, then the footage."""
        kept = list(self.footage.frames(0, self.span))[::-1]
        fps = self.footage.info.fps
        more = continued(kept, fps, self.model, self.seed, back=True)
        for k in range(self.added, 0, -1):
            yield more.at(k / fps, k)
        yield from self.footage.frames()
