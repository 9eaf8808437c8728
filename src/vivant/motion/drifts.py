"""What of each kind is seen to move in a clip, the camera taken out by what holds.

A fit of the camera to the whole picture takes a sky that fills it for a camera that pans. Here the
kinds are those that vivant's own eyes see in the first frame, and only what holds tells the camera.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.data.camera_fit import camera_velocity, fit_camera
from vivant.data.labels import Labels
from vivant.data.shards import Sample
from vivant.data.windows import STEPS, Window
from vivant.kinds import HOLDING, INDEX, KINDS
from vivant.metrics import MIN_GRADIENT, MIN_MOVING, MIN_STATIC, Bools
from vivant.scene import eyes

MOVING = tuple(kind for kind in KINDS if kind not in HOLDING)
MIN_CONFIDENCE = 0.3
"""Agreement of forward and backward flow from which a cell's motion is known."""
Cells = tuple[Bools, Bools]
"""Cells that move, and those that hold."""
FALLING = ("snow", "rain")
"""Words of categories of clips."""
ADRIFT = ("sky", "smoke", "fire")
"""Kinds that are taken to drift by themselves where nothing holds and all moves one way; where it
is water or plants it is taken to be the camera."""
MOST = 0.6
"""Share of a cell from which it is of a kind."""
LEAST_HOLDING = 40
"""Cells that hold and have texture, from which they tell the camera."""
RIGID = 0.7
"""Share of those that one camera must explain."""
TEXTURE = 1.0
"""Levels a pixel at 256 pixels from which a cell is seen to move: clouds have 1 to 3."""
SLOWEST = 0.006
"""Short sides a second under which nothing counts as moving."""


def moving_kinds(
    window: Window, labels: Labels, step: int
) -> tuple[Window, dict[str, Cells]] | None:
    """The ``window`` that begins at ``step`` of a shot's ``labels`` without its camera, and for
    each kind of which enough moves the cells ``[h, w]`` that do, and those that hold anywhere (none
    where too few do); None where the camera cannot be taken out."""
    shares = kinds_on(window.image, window.weight.shape[-2:])
    steady = steadied(window, labels, step, _joined(shares, HOLDING))
    if steady is None:
        return None
    may = ADRIFT if steady.camera_moves else MOVING
    found = {kind: _classes(steady, shares[INDEX[kind]] > MOST) for kind in may}
    return steady, {kind: own for kind, own in found.items() if own is not None}


def without_rain(kinds: dict[str, Cells], sample: Sample) -> dict[str, Cells]:
    """Kinds without the sky where it is said to rain or to snow: what moves before it falls."""
    said = str(sample.facts.get("category", ""))
    falls = any(word in said for word in FALLING)
    return {kind: cells for kind, cells in kinds.items() if not (falls and kind == "sky")}


def kinds_on(image: Frame, grid: tuple[int, ...]) -> Floats:
    """Shares ``[12, h, w]`` of the kinds in the cells of a picture."""
    seen = eyes.see(image).kinds
    sized = [cv2.resize(one, grid[::-1], interpolation=cv2.INTER_AREA) for one in seen]
    return np.asarray(np.stack(sized), np.float32)


def steadied(window: Window, labels: Labels, step: int, holding: Floats) -> Window | None:
    """A window whose camera, as what is ``holding`` (share ``[h, w]``) moves, is taken out; with
    its camera, where too little holds to tell; None where what holds does not move as one."""
    index = np.pad(np.arange(labels.steps), (0, STEPS), mode="symmetric")[step : step + STEPS]
    velocity = labels.velocity[index]
    h, w = velocity.shape[-2:]
    trust = labels.confidence[index] * (labels.gradient[index] > MIN_GRADIENT) * (holding > MOST)
    if float((trust.mean(axis=0) > MIN_CONFIDENCE).sum()) < LEAST_HOLDING:
        return replace(window, velocity=velocity, camera_removed=False)
    fits = [fit_camera(v, t) for v, t in zip(velocity, trust, strict=True)]
    if float(np.median([fit.share for fit in fits])) < RIGID:
        return None
    camera = [camera_velocity(np.array(fit.motion, np.float32), h, w) for fit in fits]
    return replace(window, velocity=velocity - np.stack(camera), camera_moves=False)


def _joined(shares: Floats, kinds: tuple[str, ...]) -> Floats:
    return np.asarray(np.sum([shares[INDEX[kind]] for kind in kinds], axis=0), np.float32)


def _classes(window: Window, own: Bools) -> tuple[Bools, Bools] | None:
    """Cells of a kind that move, and what holds anywhere (nowhere, where too little does); None
    where too few move."""
    speed = np.linalg.norm(window.velocity, axis=1).mean(axis=0)
    sound = (window.gradient > TEXTURE) & (window.confidence > MIN_CONFIDENCE)
    if not (sound & own).any():
        return None
    top = float(np.percentile(speed[sound & own], 98))
    moving = sound & own & (speed > max(0.3 * top, SLOWEST))
    static = sound & (speed < 0.1 * top)
    if moving.sum() < MIN_MOVING:
        return None
    return moving, static if static.sum() >= MIN_STATIC else np.zeros_like(static)
