"""Things that travelled at the end of footage travel on whole: cars, boats, balls, birds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.controls.edits import MOST_EXTENDED
from vivant.footage.flow import grey, shrunk
from vivant.footage.momentum import eased
from vivant.motion.held import MOST_DRIVEN, Looked
from vivant.motion.travel import cutout_of
from vivant.rendering.bodies import Body
from vivant.rendering.disc import disc

KINDS = ("vehicle", "object", "being")
"""What travels, unless something else says how it moves."""
RESTS = {"being": 1.0}
"""Seconds in which a kind comes to rest; a frame does not tell how somebody walks on. All others
go on."""
SHORT = 224
TRACKED = 0.5
"""Seconds over which a thing is followed back."""
CORNERS, LEAST_CORNERS = 60, 5
HOME = 1.0
"""Pixels by which a corner's way back may miss where it began."""
LEAST_AREA = 0.0008
"""Share of the picture under which a thing is not cut out."""
LEAST_SPEED = 0.04
"""Short sides a second under which it stands."""
TOGETHER, STEADY = 0.3, 0.2
"""Shares of the way by which corners may part from one another, and the thing from a straight
line."""
AROUND = 1.5, 4.0
"""Cells from which on, and up to which, what is around a thing lies."""
GROWTH = 0.5
"""Logarithm of its size by which a thing may grow a second, at most."""
SIZES = 0.5, 2.0


@dataclass(frozen=True, eq=False)
class Track:
    """How a thing went of late: ``velocity`` (right, down) in short sides a second, and the
    ``growth`` of the logarithm of its size a second."""

    velocity: Floats
    growth: float


def travelling_on(
    frames: Sequence[Frame], fps: float, looked: Looked, base: Frame, seen: Floats
) -> list[Body]:
    """The things of ``base`` ``[H, W, 3]``, the last of some ``frames``, that travelled there of
    late, from far to near, with their ways over all that footage is made longer. ``seen``
    ``[h, w, 2]`` are velocities on cells, short sides a second: a thing travels as it does before
    what is around it, and one that goes with that, as under a camera that pans, does not."""
    few = list(frames)[-1 - max(2, round(TRACKED * fps)) :]
    small = [grey(shrunk(frame, SHORT)) for frame in few]
    found = []
    for number, one in enumerate(looked.scene.instances):
        if one.kind not in KINDS or not LEAST_AREA < one.area < MOST_DRIVEN:
            continue
        inside = looked.scene.parts == number
        track = _followed(small, fps, inside)
        if track is None:
            continue
        around = _around(seen, inside)
        if one.kind == "object" and np.linalg.norm(around) > LEAST_SPEED / 2:
            continue  # a near thing that the camera passes does the same
        velocity = track.velocity - around
        if float(np.linalg.norm(velocity)) >= LEAST_SPEED:
            own = Track(velocity, track.growth)
            found.append(_body(looked, number, base, own, fps, RESTS.get(one.kind)))
    return sorted(found, key=lambda body: body.foot[1])


def cells_of(bodies: Sequence[Body], size: tuple[int, int]) -> Floats:
    """How far 0..1 cells, ``size`` (width, height) of them, show what travels ``[h, w]``."""
    share = np.zeros((size[1], size[0]), np.float32)
    for body in bodies:
        share = np.maximum(share, cv2.resize(body.matte, size, interpolation=cv2.INTER_AREA))
    return np.asarray(np.minimum(cv2.dilate(2 * share, np.ones((3, 3), np.uint8)), 1), np.float32)


def _body(
    looked: Looked, number: int, base: Frame, track: Track, fps: float, rest: float | None
) -> Body:
    cut = cutout_of(looked, number, base)
    seconds = np.arange(1 + round(MOST_EXTENDED * fps), dtype=np.float32) / np.float32(fps)
    gone = seconds if rest is None else eased(seconds, np.float32(rest))
    path = gone[:, None] * track.velocity * min(base.shape[:2])
    size = np.clip(np.exp(gone * track.growth), *SIZES)
    return Body(cut.matte, path.astype(np.float32), size.astype(np.float32), cut.foot)


def _around(seen: Floats, inside: NDArray[np.bool_]) -> Floats:
    """The usual velocity on the cells around what is ``inside``."""
    h, w = seen.shape[:2]
    share = cv2.resize(inside.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA)
    covered = (share > 0.1).astype(np.uint8)
    near, far = (cv2.dilate(covered, disc(cells)) for cells in AROUND)
    ring = (far > 0) & (near == 0)
    values = seen[ring] if ring.any() else seen.reshape(-1, 2)
    return np.asarray(np.median(values, axis=0), np.float32)


def _followed(
    small: Sequence[NDArray[np.uint8]], fps: float, inside: NDArray[np.bool_]
) -> Track | None:
    """How what is ``inside`` (cells of the last frame) came to where it is, by corners that are
    followed back; None where they do not go together and straight."""
    last = small[-1]
    mask = cv2.resize(inside.astype(np.uint8) * 255, last.shape[::-1]) > 127
    begun = cv2.goodFeaturesToTrack(
        last, CORNERS, 0.01, 3, mask=np.where(mask, np.uint8(255), np.uint8(0))
    )
    if begun is None or len(begun) < LEAST_CORNERS:
        return None
    points, sound = np.asarray(begun, np.float32), np.ones(len(begun), bool)
    way = [points[:, 0]]
    for now, before in zip(small[:0:-1], small[-2::-1], strict=True):
        there, seen, _ = cv2.calcOpticalFlowPyrLK(now, before, points, None, winSize=(15, 15))
        back, also, _ = cv2.calcOpticalFlowPyrLK(before, now, there, None, winSize=(15, 15))
        home = np.linalg.norm(back - points, axis=2)[:, 0] < HOME
        sound &= home & (seen[:, 0] > 0) & (also[:, 0] > 0)
        points = there
        way.append(points[:, 0])
    if sound.sum() < max(LEAST_CORNERS, 0.4 * len(begun)):
        return None
    ways = np.stack(way)[:, sound] / min(last.shape)  # [time back, corner, 2]
    return _straight(ways, np.arange(len(ways)) / fps)


def _straight(ways: Floats, ago: NDArray[np.float64]) -> Track | None:
    middle = np.median(ways, axis=1)
    moved = middle - middle[0]
    square = float((ago**2).sum())
    velocity = -(ago[:, None] * moved).sum(axis=0) / square
    far = float(np.linalg.norm(velocity)) * float(ago[-1])
    off = np.linalg.norm(moved + ago[:, None] * velocity, axis=1).max()
    apart = np.linalg.norm((ways[-1] - ways[0]) - moved[-1], axis=1)
    if off > STEADY * far or float(np.median(apart)) > TOGETHER * far:
        return None
    spread = [np.linalg.norm(w - np.median(w, axis=0), axis=1) for w in (ways[0], ways[-1])]
    growth = float(np.log((np.median(spread[0]) + 1e-4) / (np.median(spread[1]) + 1e-4)) / ago[-1])
    return Track(np.asarray(velocity, np.float32), float(np.clip(growth, -GROWTH, GROWTH)))
