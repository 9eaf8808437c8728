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
MANY, OFF = 24, 14.0
"""Frames by which is told what is usually seen, and levels from which something else is."""
AGREE = 0.65
"""Share of the frames that must show what is usual for it to be what lies behind a thing."""
THING = 0.3
"""Share of a thing's matte from which a place shows the thing."""
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
    strange = _strange([shrunk(frame, SHORT) for frame in _some(frames)], colours[-1])
    for inside, rest in _candidates(seen, strange, looked):
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


def _candidates(
    seen: Floats, strange: NDArray[np.int32], looked: Looked
) -> Iterator[tuple[Bools, float | None]]:
    """Where ``[h, w]`` things may travel, and in how many seconds they come to rest (None: never):
    people and animals as a whole, and compact places that move ``seen`` ``[h, w, 2]``, with all
    that hangs together with them of what is ``strange`` (numbered from 1)."""
    size = (seen.shape[1], seen.shape[0])
    scene = looked.scene
    for number, one in enumerate(scene.instances):
        if one.kind == "being" and LEAST_AREA < one.area < MOST_DRIVEN:
            own = (scene.parts == number).astype(np.float32)
            yield cv2.resize(own, size, interpolation=cv2.INTER_LINEAR) > 0.5, REST
    firm = sum(scene.kinds[INDEX[kind]] for kind in WHOLE)
    other = cv2.resize(np.asarray(1 - firm, np.float32), size, interpolation=cv2.INTER_LINEAR)
    for core in _moving(np.linalg.norm(seen, axis=2).astype(np.float32)):
        whole = np.isin(strange, np.setdiff1d(strange[core], [0]))
        inside = whole if (whole & core).sum() > core.sum() / 2 else core
        if LEAST_AREA < inside.mean() < MOST_AREA and other[inside].mean() < MOST_OTHER:
            yield inside, None


def _strange(some: Sequence[Frame], last: Frame) -> NDArray[np.int32]:
    """What the ``last`` of some frames ``[h, w, 3]`` shows elsewhere than they mostly do, each
    place that hangs together by a number from 1, 0 for all else ``[h, w]``."""
    off = _off(last, _usual(some)).astype(np.uint8)
    return np.asarray(cv2.connectedComponents(off)[1], np.int32)


def _some(frames: Sequence[Frame]) -> list[Frame]:
    """`MANY` of some frames at most, evenly."""
    return list(frames)[:: -(-len(frames) // MANY)]


def _usual(some: Sequence[Frame]) -> Floats:
    """What some frames ``[h, w, 3]`` mostly show."""
    return np.asarray(np.median(np.stack(some), axis=0), np.float32)


def _off(frame: Frame, usual: Floats) -> Bools:
    """Where ``[h, w]`` a frame shows something else than usual."""
    apart = np.abs(frame - usual).max(axis=2)
    return np.asarray(cv2.GaussianBlur(apart, (0, 0), 1.0) > OFF)


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
    bodies: what is usually seen in their places; texture from beside them where that is the bodies
    themselves, or where frames do not agree on it."""
    if not bodies:
        return base
    below, some = plate(base, bodies), _some(frames)
    usual = _usual(some)
    agree = sum((np.abs(one - usual).max(axis=2) < OFF).astype(np.float32) for one in some)
    known = np.asarray(agree >= AGREE * len(some))
    itself = np.maximum.reduce([body.matte for body in bodies]) > THING
    known &= np.asarray(below != base).any(axis=2) & ~(itself & ~_off(base, usual))
    below[known] = np.rint(usual[known]).astype(np.uint8)
    return below


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
