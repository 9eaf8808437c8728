"""Things that strokes drive: each leaves its place whole and goes along its stroke."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from math import dist

import numpy as np

from vivant.asset import Assets
from vivant.clip import Floats, Frame, Plane
from vivant.controls.strength import Strength, overall
from vivant.controls.stroke import Stroke
from vivant.kinds import INDEX
from vivant.media.resize import fit, fit_plane
from vivant.motion.held import Looked, driven_in, look, scene_of
from vivant.rendering.bodies import Body
from vivant.rendering.camera import ease
from vivant.rendering.cutout import Cutout, cut_out
from vivant.rendering.shot import Shot
from vivant.request import Request, Runtime
from vivant.scene.mattes import thing_matte

WATERS = ("water", "fall")
FLOORS = ("water", "ground", "plant")
"""What things stand on."""
LEAST_FLOOR = 40
"""Cells by which the way into depth is measured."""
SIZES = 0.5, 2.0
"""A thing is drawn at most so much smaller and larger than it is seen."""
UNDER = 3
"""Cells below a foot in which its floor is looked for."""


@dataclass(frozen=True)
class Floor:
    """Disparity along the rows of a picture, ``at_top`` and ``at_foot`` of it (row 0 and 1)."""

    at_top: float
    at_foot: float

    def size(self, before: float, now: float) -> float:
        """How much larger a thing is at row ``now`` than at ``before``, both 0..1."""
        slope = self.at_foot - self.at_top
        old, new = (max(self.at_top + slope * row, 0.02) for row in (before, now))
        return float(np.clip(new / old, *SIZES))


def travellers(shot: Shot, looked: Looked, pixels: Frame) -> list[Body]:
    """What the strokes of a shot drive on a picture ``[H, W, 3]``, from far to near. A thing obeys
    the first stroke that begins on it."""
    drawn = shot.controls
    found: dict[int, Body] = {}
    floor = floor_of(looked)
    for stroke in drawn.strokes:
        number = looked.drives(stroke)
        if number is None or number in found:
            continue
        cut = cutout_of(looked, number, pixels)
        foot = (cut.foot[0] / pixels.shape[1], cut.foot[1] / pixels.shape[0])
        way = _way(shot, stroke)
        size = None
        if floor is not None and _stands(looked, foot):
            size = np.array([floor.size(foot[1], foot[1] + y) for _, y in way], np.float32)
        path = (way * pixels.shape[1::-1]).astype(np.float32)
        if path.any():
            found[number] = Body(cut.matte, path, size, cut.foot)
    return sorted(found.values(), key=lambda body: body.foot[1])


def cutout_of(looked: Looked, number: int, pixels: Frame) -> Cutout:
    """One thing with its reflection and shadow."""
    kind = looked.scene.instances[number].kind
    size = pixels.shape[1::-1]

    def fitted(plane: Plane) -> Plane:
        return fit_plane(plane, (size[0], size[1]))

    matte = fitted(thing_matte(looked.scene, number, looked.mattes.of(kind)))
    planes = matte, fitted(looked.of(WATERS)), fitted(looked.of(("ground",)))
    digest = blake2b()
    for array in (pixels, *planes):
        digest.update(array.tobytes())
    return _cut(_Thing(digest.digest(), pixels, planes))


@dataclass(frozen=True)
class _Thing:
    """What is cut out, remembered from the plan until it is made by the ``digest`` of it all."""

    digest: bytes
    pixels: Frame = field(compare=False, repr=False)
    planes: tuple[Plane, Plane, Plane] = field(compare=False, repr=False)


@lru_cache(maxsize=8)
def _cut(thing: _Thing) -> Cutout:
    return cut_out(thing.pixels, *thing.planes)


def floor_of(looked: Looked) -> Floor | None:
    """How disparity grows towards the viewer on what lies flat; None where too little is seen or
    it does not grow."""
    scene = looked.scene
    flat = sum(scene.kinds[INDEX[kind]] for kind in FLOORS)
    rows, columns = np.nonzero(np.asarray(flat) > 0.7)
    if len(rows) < LEAST_FLOOR or np.ptp(rows) < 4:
        return None
    height = scene.grid[0]
    slope, start = np.polyfit((rows + 0.5) / height, scene.depth[rows, columns], 1)
    return Floor(float(start), float(start + slope)) if slope > 0 else None


def travel_notes(
    request: Request, assets: Assets, runtime: Runtime, size: tuple[int, int]
) -> list[str]:
    """What is to be said of the things that strokes drive in frames of ``size`` (width, height)."""
    strokes = request.all(Stroke)
    if not strokes or overall(request.all(Strength)) == 0:
        return []
    picture = assets.picture(request.keyframes[0].image)
    scene = scene_of(picture, runtime)
    driven = (driven_in(scene, stroke) for stroke in strokes)
    numbers = dict.fromkeys(number for number in driven if number is not None)
    if not numbers:  # mattes take their time
        return []
    fitted = fit(picture, size)
    looked, notes = look(picture, runtime, fitted, scene), []
    for number in numbers:
        kind = scene.instances[number].kind
        cut = cutout_of(looked, number, fitted.pixels)
        with_it = [n for n, there in _belongings(cut) if there]
        without = [n for n, there in _belongings(cut) if not there]
        taken = f" with its {' and '.join(with_it)}" if with_it else ""
        missing = f"; no {' or '.join(without)} of it was found" if without else ""
        notes.append(f"The {kind} under the stroke leaves its place whole{taken}{missing}.")
    return notes


def _belongings(cut: Cutout) -> tuple[tuple[str, bool], ...]:
    return (("reflection", cut.reflection), ("shadow", cut.shadow))


def _stands(looked: Looked, foot: tuple[float, float]) -> bool:
    """Whether there is floor below a foot (x, y) 0..1."""
    scene = looked.scene
    h, w = scene.grid
    row, column = min(h - 1, int(foot[1] * h)), min(w - 1, int(foot[0] * w))
    below = scene.kinds[[INDEX[kind] for kind in FLOORS], row : row + UNDER + 1, column]
    return bool(below.sum(axis=0).max() > 0.5)


def _way(shot: Shot, stroke: Stroke) -> Floats:
    """Where the thing is in every frame, ``[count, 2]`` x and y in sides of the picture from where
    it began: along the stroke in its seconds, and on in its last direction; out and back in a
    loop."""
    spec = shot.spec
    points = np.array(stroke.points, np.float64)
    lengths = [dist(a, b) for a, b in pairwise(stroke.points)]
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    seconds = stroke.seconds or spec.seconds
    if shot.loop:
        shares = np.array([ease(k / spec.count, loop=True) for k in range(spec.count)])
        shares = shares * min(1.0, spec.seconds / seconds)
    else:
        shares = np.arange(spec.count) / (seconds * spec.fps)
    gone = shares * along[-1] * shot.strength
    at = np.column_stack([np.interp(gone, along, points[:, axis]) for axis in (0, 1)])
    last = (points[-1] - points[-2]) / max(lengths[-1], 1e-9)
    beyond = np.maximum(gone - along[-1], 0)[:, None] * last
    return np.asarray(at + beyond - points[0], np.float32)
