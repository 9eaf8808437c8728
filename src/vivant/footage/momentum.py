"""How what moved at the end of footage comes to rest, and its camera with it: no jump of speed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.data.camera_fit import camera_velocity, fit_camera
from vivant.footage.observed import SHAKEN, Observed
from vivant.rendering.manners.manner import coarse, enlarged

CAMERA_SECONDS = 3.0
"""Seconds in which a camera comes to rest; less where it would show what it has not seen."""
UNSEEN = 0.2
"""Short sides of the unseen that it may show at an edge."""
CLOSER = 0.3
"""Logarithm of how much nearer it may come."""
SEEN = 0.35
"""Share of what does not flow that a camera's motion must explain."""
LEAST_SEEN = 0.05
"""Share of the picture that does not flow, from which a camera is looked for."""
THINGS_SECONDS, SHAKE_SECONDS = 0.8, 0.15
"""Seconds in which things come to rest, and what shook them at the last; less where"""
MOST_BENT = 0.12
"""neighbours would come nearer to or farther from one another by more than this share."""
REST = 0.012
"""Short sides a second up to which a place stands still."""
BROAD = 2.5
"""Cells over which a current may lag behind."""
ROUNDS = 4
NODES = 8.0
"""Pixels between the nodes at which places are looked up."""


def eased(seconds: float | Floats, rest: float | Floats) -> Floats:
    """Seconds at full speed in which what comes to rest in ``rest`` gets as far."""
    return np.asarray(rest * (1 - np.exp(-seconds / np.asarray(rest))), np.float32)


@dataclass(frozen=True, eq=False)
class Momentum:
    """``camera`` (to the right, down, zoom, roll) a second, at rest in ``camera_rest`` seconds;
    ``things`` and ``shake`` ``[h, w, 2]`` short sides a second on cells, at rest in
    ``things_rest`` and ``shake_rest`` ``[h, w, 1]`` seconds."""

    camera: tuple[float, float, float, float]
    camera_rest: float
    things: Floats
    shake: Floats
    things_rest: Floats
    shake_rest: Floats

    @property
    def still(self) -> bool:
        """Whether nothing of it moves."""
        return not (any(self.camera) or self.things.any() or self.shake.any())

    def without(self, share: Floats) -> Momentum:
        """The same without what moves on cells that something else moves, ``share`` ``[h, w]``
        0..1."""
        rest = 1 - share[..., None]
        return replace(self, things=self.things * rest, shake=self.shake * rest)

    def shift(self, seconds: float) -> Floats:
        """How far things have come since the last frame, short sides ``[h, w, 2]``."""
        far = self.things * eased(seconds, self.things_rest)
        return np.asarray(far + self.shake * eased(seconds, self.shake_rest), np.float32)

    def view(self, seconds: float) -> Floats:
        """The affine map ``[2, 3]`` from places of the last frame to where the camera shows them,
        about the centre, in short sides."""
        x, y, zoom, roll = self.camera
        far = float(eased(seconds, self.camera_rest))
        steady = np.array([[zoom, -roll, x], [roll, zoom, y], [0, 0, 0]]) * far
        return np.asarray(_exponential(steady)[:2], np.float32)

    def moved(self, frame: Frame, seconds: float) -> Frame:
        """A frame ``[H, W, 3]`` that stands as the last one did, as it is seen by then; what it has
        not seen is mirrored."""
        if self.still:
            return frame
        h, w = frame.shape[:2]
        x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
        at = np.dstack([x, y]) + enlarged(self._shift(seconds, (w, h)), (h, w))
        out = cv2.remap(frame, at, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(out, np.uint8)

    def _shift(self, seconds: float, size: tuple[int, int]) -> Floats:
        """Pixels from each place of a frame to where that was in the last one, on nodes
        ``[rows, columns, 2]``."""
        w, h = size
        short, nodes = min(w, h), coarse((h, w), NODES)
        step = np.array([w / nodes[1], h / nodes[0]], np.float32)
        x, y = np.meshgrid(np.arange(nodes[1]), np.arange(nodes[0]))
        here = (np.dstack([x, y]) + 0.5).astype(np.float32) * step
        base = here
        if any(self.camera):
            middle = np.array([w / 2, h / 2], np.float32)
            back = cv2.invertAffineTransform(self.view(seconds))
            far = (here - middle) / short @ back[:, :2].T + back[:, 2]
            base = np.asarray(far * short + middle, np.float32)
        shift = self.shift(seconds)
        places = base
        if shift.any():
            wide = enlarged(shift, nodes) * np.float32(short)
            for _ in range(ROUNDS):  # the shift belongs to where things were
                at = np.asarray(places / step - 0.5, np.float32)
                places = base - cv2.remap(
                    wide, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
                )
        return np.asarray(places - here, np.float32)


def momentum_of(seen: Observed, fluid: Floats) -> tuple[Momentum, Floats]:
    """What goes on for a while by itself, and the velocities ``[h, w, 2]`` that go on, as a camera
    that stands would see them; ``fluid`` ``[h, w]`` 0..1 is carried by currents."""
    h, w = fluid.shape
    solid = np.asarray((1 - fluid) ** 2, np.float32)
    camera = _camera(seen, solid)
    view = camera_velocity(np.array(camera, np.float32), h, w).transpose(1, 2, 0)
    steady = seen.going_on(np.asarray(seen.mean - view, np.float32))
    things = np.asarray(_moving(steady) * solid[..., None], np.float32)
    shake = np.asarray(_moving(seen.last - view - steady) * solid[..., None], np.float32)
    found = Momentum(
        camera,
        _rest(camera, view),
        things,
        shake,
        _unbent(things, THINGS_SECONDS),
        _unbent(shake, SHAKE_SECONDS),
    )
    return found, steady


def lagging(motion: Momentum, seen: Floats, carried: Floats, fluid: Floats) -> Momentum:
    """A momentum that also makes up for what currents, which carry at ``carried``, lag behind what
    was ``seen`` without the camera (``[h, w, 2]``), where it flows."""
    behind = cv2.GaussianBlur(np.asarray(seen - carried, np.float32), (0, 0), BROAD)
    behind = _moving(behind) * (fluid**2)[..., None]
    things = np.asarray(motion.things + behind, np.float32)
    return replace(motion, things=things, things_rest=_unbent(things, THINGS_SECONDS))


def _camera(seen: Observed, solid: Floats) -> tuple[float, float, float, float]:
    """The camera's motion by what does not flow, the less of it the more it shook; none where what
    does not flow is too little or moves unlike one."""
    none = (0.0, 0.0, 0.0, 0.0)
    if float(solid.mean()) < LEAST_SEEN:
        return none
    found = fit_camera(np.ascontiguousarray(seen.mean.transpose(2, 0, 1)), solid)
    h, w = solid.shape
    view = camera_velocity(np.array(found.motion, np.float32), h, w)
    if found.share < SEEN or np.abs(view).max() < REST:
        return none
    squared = float((view**2).sum(axis=0).mean())
    share = squared / (squared + SHAKEN * float(np.median(seen.shaken[solid > 0.5]) ** 2))
    x, y, zoom, roll = (share * part for part in found.motion)
    return x, y, zoom, roll


def _rest(camera: tuple[float, float, float, float], view: Floats) -> float:
    """Seconds in which the camera comes to rest."""
    entering = max(
        float(view[:, 0, 0].mean()), -float(view[:, -1, 0].mean()),
        float(view[0, :, 1].mean()), -float(view[-1, :, 1].mean()), 1e-6,
    )  # fmt: skip
    return min(CAMERA_SECONDS, UNSEEN / entering, CLOSER / max(camera[2], 1e-6))


def _unbent(velocity: Floats, rest: float) -> Floats:
    """Seconds ``[h, w, 1]``, at most ``rest``, in which a velocity bends nothing too far: neither
    where it changes from place to place, nor since one place comes to rest before another."""
    short = min(velocity.shape[:2])
    slopes = [np.gradient(velocity[..., k]) for k in range(2)]
    steep = np.max([np.abs(one) for pair in slopes for one in pair], axis=0) * short
    seconds = np.minimum(np.float32(rest), MOST_BENT / np.maximum(steep.astype(np.float32), 1e-6))
    near = np.ones((3, 3), np.uint8)
    speed = cv2.dilate(np.linalg.norm(velocity, axis=2).astype(np.float32), near)
    later = MOST_BENT / (short * np.maximum(speed, 1e-6))
    for _ in range(max(velocity.shape[:2])):
        seconds = np.minimum(seconds, cv2.erode(seconds, near) + later)
    return np.asarray(np.maximum(seconds, 1e-3)[..., None], np.float32)


def _moving(velocity: Floats) -> Floats:
    """A velocity without what is too slow to be seen, which is noise of its measurement."""
    speed = np.linalg.norm(velocity, axis=2, keepdims=True)
    there = np.clip(speed / REST - 1, 0, 1)
    return np.asarray(velocity * (there * there * (3 - 2 * there)), np.float32)


def _exponential(generator: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Floats:
    """Matrix exponential by its series, scaled and squared."""
    small = generator / 64
    out = np.eye(3) + small + small @ small / 2 + small @ small @ small / 6
    for _ in range(6):
        out = out @ out
    return np.asarray(out, np.float32)
