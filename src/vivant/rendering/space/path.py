"""From a camera that is asked for to its pose in every frame.

Amounts are what is seen of them, in short sides: by ``truck`` the nearest thing moves so far while
the infinitely far holds; by ``zoom`` what is at the pivot, the main thing's depth, becomes so much
larger; an orbit turns about the pivot. The view closes in just as far as it must to show nothing
beyond the picture's edge, or beyond a margin around it where the camera pulls out.
"""

from __future__ import annotations

from dataclasses import replace
from math import cos, degrees, radians, sin, tau

import numpy as np

from vivant.clip import Floats, VideoSpec
from vivant.controls.camera import Camera, combined
from vivant.controls.path import VIEW, CameraPath, Station, station
from vivant.rendering.camera import ease
from vivant.rendering.space.hand import Hand
from vivant.rendering.space.pose import Lens, Path, Pose
from vivant.rendering.space.relief import Relief

PIVOT = 60, 0.3, 0.95
"""Percentile of disparity in the middle of the picture, and the bounds of the pivot's."""
NEAR = 85
"""Percentile of disparity in the middle that a lens focuses on which focuses on the near."""
MARGIN = 0.08
"""Short sides beyond the edge that a camera may show which pulls out."""
STEPS = 24
"""Halvings in search of how far the view must close in."""
MOST_CLOSING = 1.6
MIDDLING, CHECKED = 0.3, 48
"""Disparity at which a path is checked before anything is seen, and moments of it."""


def path_of(
    camera: Camera,
    spec: VideoSpec,
    loop: bool,
    relief: Relief,
    seed: int = 0,
    *,
    paths: tuple[CameraPath, ...] = (),
    view: float = VIEW,
) -> Path:
    """The poses of all frames of a clip: of a ``camera`` and key-framed ``paths`` together, through
    a lens of ``view`` degrees across the short side."""
    lens, pivot, near = Lens(view), pivot_of(relief), _middling(relief, NEAR)
    hand = Hand.of(seed, spec.seconds if loop else None)
    at_edge, disparity, half = _border(relief)
    margin = MARGIN if _retreats(camera, paths) else 0.0
    poses = []
    for index in range(spec.count):
        share = index / spec.count
        at = station(paths, share, spec.seconds, loop)
        moves = combined((_eased(camera, ease(share, loop)), at.moves))
        pose = _placed(_pose(moves, share, lens, pivot), at)
        pose = replace(pose, blurs=_blurs(moves, near))
        if moves.hand:
            pose = _shaken(pose, moves.hand, hand, index / spec.fps, lens)
        closed = _closed_in(pose, lens, at_edge, disparity, half + np.float32(margin))
        poses.append(closed if index else Pose())
    return Path(tuple(poses), lens, margin)


def _retreats(camera: Camera, paths: tuple[CameraPath, ...]) -> bool:
    """Whether the camera ever goes back from where the picture was taken."""
    keys = [key for path in paths for key in path.keys]
    return camera.zoom < 0 or any(key.moves.zoom < 0 or key.position[2] < 0 for key in keys)


def pivot_of(relief: Relief) -> float:
    """Disparity of what the picture is about: what is rather near in its middle."""
    percentile, low, high = PIVOT
    return float(np.clip(_middling(relief, percentile), low, high))


def _middling(relief: Relief, percentile: float) -> float:
    """A percentile of the disparity in the middle of the picture."""
    return float(np.percentile(relief.at((48, 64))[8:44, 12:52], percentile))


def _blurs(moves: Camera, near: float) -> tuple[tuple[float, float], ...]:
    """What a lens does that is focused on the near and on the far (`Pose.blurs`)."""
    foci = ((near, moves.focus_near), (0.0, moves.focus_far))
    return tuple((focus, most) for focus, most in foci if most > 0)


def _eased(camera: Camera, way: float) -> Camera:
    """The amounts after a share ``way`` of the way; what swings, circles and shakes has none."""
    amounts = {
        name: amount if name in ("swing", "circle", "hand") else amount * way
        for name, amount in vars(camera).items()
    }
    return Camera(**amounts)


def _pose(moves: Camera, share: float, lens: Lens, pivot: float) -> Pose:
    """The pose that amounts lead to; swings and circles have gone a ``share`` of their way."""
    round_ = tau * share
    focal, distance = lens.focal, 1 / pivot
    x = (moves.truck + moves.swing * sin(round_) + moves.circle * sin(round_)) / focal
    y = (moves.pedestal + moves.circle * (1 - cos(round_))) / focal
    z = distance * (1 - 1 / (1 + moves.zoom + moves.dolly_zoom))
    pan = degrees(np.arctan(moves.pan_x / focal))
    tilt = degrees(np.arctan(moves.pan_y / focal))
    turn, lift = radians(moves.orbit), radians(moves.crane)
    x, z = x + distance * sin(turn), z + distance * (1 - cos(turn))
    y, z = y - distance * sin(lift), z + distance * (1 - cos(lift))
    # swings and circles keep the pivot in its place
    pan -= degrees(turn) + degrees(np.arctan(pivot * moves.swing * sin(round_) / focal))
    pan -= degrees(np.arctan(pivot * moves.circle * sin(round_) / focal))
    tilt += degrees(lift) - degrees(np.arctan(pivot * moves.circle * (1 - cos(round_)) / focal))
    return Pose((x, y, z), (pan, tilt, moves.roll), 1 / (1 + moves.dolly_zoom))


def _placed(pose: Pose, at: Station) -> Pose:
    """A pose with what key frames add to it."""
    position, turn = (
        tuple(np.add(*pair).tolist())
        for pair in ((pose.position, at.position), (pose.turn, at.turn))
    )
    return replace(pose, position=position, turn=turn, zoom=pose.zoom * at.zoom)


def _shaken(pose: Pose, amount: float, hand: Hand, seconds: float, lens: Lens) -> Pose:
    """A pose as a hand holds it: it wanders, and comes from where the picture was taken."""
    across, down = (amount / lens.focal * v for v in hand.shift(seconds))
    x, y, z = pose.position
    pan, tilt, roll = (a + amount * b for a, b in zip(pose.turn, hand.turn(seconds), strict=True))
    return replace(pose, position=(x + across, y + down, z), turn=(pan, tilt, roll))


def beyond(
    paths: tuple[CameraPath, ...], spec: VideoSpec, loop: bool, view: float = VIEW
) -> float | None:
    """The first second at which key-framed paths look so far beyond the picture's edge that closing
    in does not help, by what is at a middling depth; None where they never do."""
    lens = Lens(view)
    at, _, half = _edge((spec.height, spec.width))
    depth = np.full(at.shape[:2], MIDDLING, np.float32)
    for index in range(0, spec.count, max(1, spec.count // CHECKED)):
        pose = _placed(Pose(), station(paths, index / spec.count, spec.seconds, loop))
        closed = _closed_in(pose, lens, at, depth, half)
        if closed.zoom > 0.999 * MOST_CLOSING * pose.zoom:
            return index / spec.fps
    return None


def _edge(shape: tuple[int, int]) -> tuple[Floats, Floats, Floats]:
    """Places along a frame's edge ``[1, N, 2]`` in short sides, the same as shares -1..1
    ``[N, 2]``, and half the sides."""
    half = np.array(shape[::-1], np.float32) / np.float32(2 * min(shape))
    along = np.linspace(-1, 1, 33, dtype=np.float32)
    ones = np.ones_like(along)
    sides = ((along, ones), (along, -ones), (ones, along), (-ones, along))
    edge = np.concatenate([np.column_stack(pair) for pair in sides]).astype(np.float32)
    return (edge * half)[None], edge, half


def _border(relief: Relief) -> tuple[Floats, Floats, Floats]:
    """Places along the frame's edge ``[1, N, 2]``, the disparities ``[1, N]`` that may be met
    there, and half the sides of the picture, in short sides."""
    at, edge, half = _edge(relief.shape)
    far = relief.at((36, 48))
    places = ((edge + 1) / 2 * (47, 35)).round().astype(int)
    here = far[places[:, 1], places[:, 0]]
    near_by = [here, np.maximum(here - 0.1, 0), np.minimum(here + 0.1, 1)]
    return np.tile(at, (1, 3, 1)), np.concatenate(near_by)[None].astype(np.float32), half


def _closed_in(pose: Pose, lens: Lens, at: Floats, disparity: Floats, half: Floats) -> Pose:
    """The pose with the least zoom that shows nothing beyond the picture's edge."""

    def inside(zoom: float) -> bool:
        found = lens.sources(replace(pose, zoom=pose.zoom * zoom), at, disparity)
        return bool((np.abs(found) <= half + 1e-6).all())

    if inside(1.0):
        return pose
    low, high = 1.0, MOST_CLOSING
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if inside(middle) else (middle, high)
    return replace(pose, zoom=pose.zoom * high)
