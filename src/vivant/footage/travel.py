"""Things that travelled at the end of footage travel on whole: cars, boats, balls, birds.

What moves by itself is found by its motion, people and animals as they are seen; what went together
on a straight line is cut out and goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Plane
from vivant.controls.edits import MOST_EXTENDED
from vivant.footage.flow import flow, grey, shrunk
from vivant.footage.momentum import eased
from vivant.kinds import INDEX
from vivant.motion.held import MOST_DRIVEN, Looked
from vivant.rendering.bodies import Body, plate
from vivant.rendering.cutout import cut_out
from vivant.rendering.disc import disc

WHOLE = ("vehicle", "object", "built", "ground")
"""What things are taken for that are found by their motion: a small car is often seen as road."""
MOST_OTHER = 0.5
"""Share of other kinds in them up to which they are things: hands, leaves and waves are not."""
REST = 1.0
"""Seconds in which people and animals come to rest; a frame does not tell how somebody walks on."""
SHORT = 224
TRACKED = 0.5
"""Seconds over which a thing is followed back."""
CORNERS, LEAST_CORNERS = 60, 5
HOME = 1.0
"""Pixels by which a corner's way back may miss where it began."""
LEAST_AREA = 0.0015
"""Share of the picture under which a thing is not cut out."""
LEAST_SPEED = 0.04
"""Short sides a second under which it stands."""
BESIDE = 0.15
"""Share of its speed by which what is around it may move (or by half of the least speed): what a
camera passes moves as well, the more the nearer it is."""
MOST_AREA, FILLED = 0.1, 0.35
"""Share of the picture from which what is found by its motion is no thing, and of its area that the
corners that are followed must span."""
COVERED = 0.02
"""Short sides around a thing that it may cover as well: its shadow, and what was missed of it."""
CORE = 0.5
"""Share of its speed from which on a place is of a thing: dense motion runs over its edge."""
TOGETHER, STEADY = 0.3, 0.2
"""Shares of the way by which corners may part from one another, and the thing from a straight
line."""
AROUND = 0.05, 0.12
"""Short sides from which on, and up to which, what is around a thing lies."""
GROWTH = 0.5
"""Logarithm of its size by which a thing may grow a second, at most."""
SIZES = 0.5, 2.0

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Track:
    """How a thing went of late: ``velocity`` (right, down) in short sides a second, and the
    ``growth`` of the logarithm of its size a second."""

    velocity: Floats
    growth: float


def travelling_on(frames: Sequence[Frame], fps: float, looked: Looked, base: Frame) -> list[Body]:
    """The things of ``base`` ``[H, W, 3]``, the last of some ``frames`` of a camera that stands,
    that travelled there of late, from far to near, with their ways over all that footage is made
    longer."""
    few = list(frames)[-1 - max(2, round(TRACKED * fps)) :]
    colours = [shrunk(frame, SHORT) for frame in few]
    small = [grey(one) for one in colours]
    seen = flow(colours[-2], colours[-1]) * np.float32(fps / min(small[-1].shape))
    found: list[Body] = []
    for inside, rest in _candidates(seen, looked):
        track = _followed(small, fps, inside)
        if track is None:
            continue
        speed = float(np.linalg.norm(track.velocity))
        passed = float(np.linalg.norm(_around(seen, inside)))
        if speed < LEAST_SPEED or passed > max(LEAST_SPEED / 2, BESIDE * speed):
            continue
        body = _body(looked, inside, base, track, fps, rest)
        if not any(float((body.matte * one.matte).max()) > 0.5 for one in found):
            found.append(body)
    return sorted(found, key=lambda body: body.foot[1])


def _candidates(seen: Floats, looked: Looked) -> Iterator[tuple[Bools, float | None]]:
    """Where ``[h, w]`` things may travel, and in how many seconds they come to rest (None: never):
    people and animals as a whole, and compact places that move ``seen`` ``[h, w, 2]``."""
    size = (seen.shape[1], seen.shape[0])
    scene = looked.scene
    for number, one in enumerate(scene.instances):
        if one.kind == "being" and LEAST_AREA < one.area < MOST_DRIVEN:
            own = (scene.parts == number).astype(np.float32)
            yield cv2.resize(own, size, interpolation=cv2.INTER_LINEAR) > 0.5, REST
    firm = sum(scene.kinds[INDEX[kind]] for kind in WHOLE)
    other = cv2.resize(np.asarray(1 - firm, np.float32), size, interpolation=cv2.INTER_LINEAR)
    for inside in _moving(np.linalg.norm(seen, axis=2).astype(np.float32)):
        if LEAST_AREA < inside.mean() < MOST_AREA and other[inside].mean() < MOST_OTHER:
            yield inside, None


def _moving(speed: Floats) -> Iterator[Bools]:
    """Places that hang together and move, without what their motion runs over."""
    soft = cv2.GaussianBlur(speed, (0, 0), 1.0)
    count, labels = cv2.connectedComponents((soft > LEAST_SPEED).astype(np.uint8))
    core = np.zeros(speed.shape, np.uint8)
    for label in range(1, count):
        inside = labels == label
        core[inside & (soft > CORE * np.percentile(soft[inside], 90))] = 1
    count, labels = cv2.connectedComponents(core)
    yield from (labels == label for label in range(1, count))


def ground_below(frames: Sequence[Frame], base: Frame, bodies: list[Body]) -> Frame:
    """``base``, the last of some ``frames`` ``[H, W, 3]`` of a camera that stands, without its
    bodies: what was seen there before they came, as late as may be; texture from beside them where
    nothing was."""
    below = plate(base, bodies)
    hidden = np.asarray(below != base).any(axis=2)
    size = (base.shape[1], base.shape[0])
    wide = [cv2.dilate(body.matte, disc(COVERED * min(size))) for body in bodies]
    for ago, frame in enumerate(list(frames)[-2::-1], start=1):
        if not hidden.any():
            break
        covered = np.zeros(hidden.shape, bool)
        for body, matte in zip(bodies, wide, strict=True):
            covered |= cv2.warpAffine(matte, _before(body, ago), size) > 0
        seen = hidden & ~covered
        below[seen] = frame[seen]
        hidden &= covered
    return below


def _before(body: Body, ago: int) -> Floats:
    """From where the pixels of a body are to where they were ``ago`` frames before ``[2, 3]``."""
    scale = 1.0 if body.size is None else float(body.size[1]) ** -ago
    (x, y), (u, v) = -ago * body.path[1], body.foot
    return np.array([[scale, 0, x + u * (1 - scale)], [0, scale, y + v * (1 - scale)]], np.float32)


def cells_of(bodies: Sequence[Body], size: tuple[int, int]) -> Floats:
    """How far 0..1 cells, ``size`` (width, height) of them, show what travels ``[h, w]``."""
    share = np.zeros((size[1], size[0]), np.float32)
    for body in bodies:
        share = np.maximum(share, cv2.resize(body.matte, size, interpolation=cv2.INTER_AREA))
    return np.asarray(np.minimum(cv2.dilate(2 * share, np.ones((3, 3), np.uint8)), 1), np.float32)


def _body(
    looked: Looked, inside: Bools, base: Frame, track: Track, fps: float, rest: float | None
) -> Body:
    size = (base.shape[1], base.shape[0])

    def fitted(plane: Plane) -> Plane:
        return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR), np.uint8)

    matte = fitted(np.where(inside, np.uint8(255), np.uint8(0)))
    cut = cut_out(base, matte, fitted(looked.of(("water", "fall"))), fitted(looked.of(("ground",))))
    seconds = np.asarray(np.arange(1 + round(MOST_EXTENDED * fps)) / fps, np.float32)
    gone = seconds if rest is None else eased(seconds, rest)
    path = gone[:, None] * track.velocity * min(base.shape[:2])
    larger = np.clip(np.exp(gone * track.growth), *SIZES)
    return Body(cut.matte, path.astype(np.float32), larger.astype(np.float32), cut.foot)


def _around(seen: Floats, inside: Bools) -> Floats:
    """The usual velocity around what is ``inside``."""
    short = min(inside.shape)
    covered = inside.astype(np.uint8)
    near, far = (cv2.dilate(covered, disc(reach * short)) for reach in AROUND)
    ring = (far > 0) & (near == 0)
    values = seen[ring] if ring.any() else seen.reshape(-1, 2)
    return np.asarray(np.median(values, axis=0), np.float32)


def _followed(small: Sequence[NDArray[np.uint8]], fps: float, inside: Bools) -> Track | None:
    """How what is ``inside`` the last of some frames ``[h, w]`` came to where it is, by corners
    that are followed back; None where they do not go together and straight."""
    last = small[-1]
    begun = cv2.goodFeaturesToTrack(
        last, CORNERS, 0.01, 3, mask=np.where(inside, np.uint8(255), np.uint8(0))
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
    spanned = cv2.contourArea(cv2.convexHull(begun[sound]))
    if spanned < FILLED * float(inside.sum()):
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
