"""What truly moves in a clip, kind by kind.

Most clips show people, animals and vehicles, which hold on purpose, so that a measure over all that
moves says little of what is made to move. Here the cells of one kind count, as vivant's own eyes
see them in the first frame, and the camera is told by what holds alone: a sky that fills the
picture is no camera that pans.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.data.camera_fit import camera_velocity, fit_camera
from vivant.data.shards import Sample
from vivant.data.windows import STEPS, Window
from vivant.evaluation.motion_scores import MIN_CONFIDENCE, Truth
from vivant.kinds import HOLDING, INDEX, KINDS
from vivant.metrics import MIN_GRADIENT, MIN_MOVING, MIN_STATIC, Bools
from vivant.scene import eyes

MOVING = tuple(kind for kind in KINDS if kind not in HOLDING)
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


def kind_truths(sample: Sample, window: Window, step: int) -> dict[str, Truth]:
    """Each kind that is seen to move in the ``window`` that begins at ``step``, with what of it
    moves; nothing where the camera cannot be taken out."""
    shares = kinds_on(window.image, window.weight.shape[-2:])
    steady = steadied(window, sample, step, _joined(shares, HOLDING))
    if steady is None:
        return {}
    category = str(sample.facts.get("category", ""))
    found = {kind: _classes(steady, shares[INDEX[kind]] > MOST) for kind in MOVING}
    return {
        kind: Truth(sample.key, category, steady, *classes, steady.camera_removed)
        for kind, classes in found.items()
        if classes is not None
    }


def kinds_on(image: Frame, grid: tuple[int, ...]) -> Floats:
    """Shares ``[12, h, w]`` of the kinds in the cells of a picture."""
    seen = eyes.see(image).kinds
    sized = [cv2.resize(one, grid[::-1], interpolation=cv2.INTER_AREA) for one in seen]
    return np.asarray(np.stack(sized), np.float32)


def steadied(window: Window, sample: Sample, step: int, holding: Floats) -> Window | None:
    """A window whose camera, as what is ``holding`` (share ``[h, w]``) moves, is taken out; as it
    is where too little holds to tell; None where what holds does not move as one."""
    labels = sample.labels
    index = np.pad(np.arange(labels.steps), (0, STEPS), mode="symmetric")[step : step + STEPS]
    velocity = labels.velocity[index]
    h, w = velocity.shape[-2:]
    trust = labels.confidence[index] * (labels.gradient[index] > MIN_GRADIENT) * (holding > MOST)
    if float((trust.mean(axis=0) > MIN_CONFIDENCE).sum()) < LEAST_HOLDING:
        return replace(window, velocity=velocity, camera_moves=False, camera_removed=False)
    fits = [fit_camera(v, t) for v, t in zip(velocity, trust, strict=True)]
    if float(np.median([fit.share for fit in fits])) < RIGID:
        return None
    camera = [camera_velocity(np.array(fit.motion, np.float32), h, w) for fit in fits]
    return replace(window, velocity=velocity - np.stack(camera), camera_removed=True)


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
