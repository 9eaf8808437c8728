"""From a camera that is asked for to its pose in every frame.

Amounts are what is seen of them, in short sides: by ``truck`` the nearest thing moves so far while
the infinitely far holds; by ``zoom`` what is at the pivot, the main thing's depth, becomes so much
larger; an orbit turns about the pivot. The view closes in just as far as it must to show nothing
beyond the picture's edge.
"""

from __future__ import annotations

from dataclasses import replace
from math import cos, degrees, radians, sin, tau

import numpy as np

from vivant.clip import Floats, VideoSpec
from vivant.controls.camera import Camera
from vivant.rendering.camera import ease
from vivant.rendering.noise import Walk, walk
from vivant.rendering.space.pose import Lens, Path, Pose
from vivant.rendering.space.relief import Relief

PIVOT = 60, 0.3, 0.95
"""Percentile of disparity in the middle of the picture, and the bounds of the pivot's."""
HAND = (0.010, 0.008, 0.35, 0.9)
"""A hand at rest: sideways and up in short sides of the nearest, roll in degrees, Hz."""
STEPS = 24
"""Halvings in search of how far the view must close in."""
MOST_CLOSING = 1.6


def path_of(camera: Camera, spec: VideoSpec, loop: bool, relief: Relief, seed: int = 0) -> Path:
    """The poses of all frames of a clip."""
    lens, pivot = Lens(), pivot_of(relief)
    closes = spec.seconds if loop else None
    steady = tuple(walk(HAND[3], np.random.default_rng([seed, k]), closes) for k in range(3))
    border = _border(relief)
    poses = []
    for index in range(spec.count):
        pose = _pose(camera, index / spec.count, loop, lens, pivot)
        if camera.hand:
            pose = _shaken(pose, camera.hand, steady, index / spec.fps, lens)
        poses.append(_closed_in(pose, lens, *border) if index else Pose())
    return Path(tuple(poses), lens)


def pivot_of(relief: Relief) -> float:
    """Disparity of what the picture is about: what is rather near in its middle."""
    far = relief.at((48, 64))[8:44, 12:52]
    percentile, low, high = PIVOT
    return float(np.clip(np.percentile(far, percentile), low, high))


def _pose(camera: Camera, share: float, loop: bool, lens: Lens, pivot: float) -> Pose:
    """The pose after a share of the clip."""
    way, round_ = ease(share, loop), tau * share
    focal, distance = lens.focal, 1 / pivot
    x = (camera.truck * way + camera.swing * sin(round_) + camera.circle * sin(round_)) / focal
    y = (camera.pedestal * way + camera.circle * (1 - cos(round_))) / focal
    growth = camera.zoom + camera.dolly_zoom
    z = distance * (1 - 1 / (1 + growth * way))
    pan = degrees(np.arctan(camera.pan_x * way / focal))
    tilt = degrees(np.arctan(camera.pan_y * way / focal))
    turn, lift = radians(camera.orbit * way), radians(camera.crane * way)
    x, z = x + distance * sin(turn), z + distance * (1 - cos(turn))
    y, z = y - distance * sin(lift), z + distance * (1 - cos(lift))
    # swings and circles keep the pivot in its place
    pan -= degrees(turn) + degrees(np.arctan(pivot * camera.swing * sin(round_) / focal))
    pan -= degrees(np.arctan(pivot * camera.circle * sin(round_) / focal))
    tilt += degrees(lift) - degrees(np.arctan(pivot * camera.circle * (1 - cos(round_)) / focal))
    zoom = 1 / (1 + camera.dolly_zoom * way)
    return Pose((x, y, z), (pan, tilt, camera.roll * way), zoom)


def _shaken(pose: Pose, amount: float, walks: tuple[Walk, ...], seconds: float, lens: Lens) -> Pose:
    """A pose as a hand holds it: it wanders, and comes from where the picture was taken."""
    across, up, roll = (w.since(seconds) * amount for w in walks)
    x, y, z = pose.position
    pan, tilt, rolled = pose.turn
    moved = (x + HAND[0] * across / lens.focal, y + HAND[1] * up / lens.focal, z)
    turned = (pan + 0.25 * across, tilt + 0.2 * up, rolled + HAND[2] * roll)
    return replace(pose, position=moved, turn=turned)


def _border(relief: Relief) -> tuple[Floats, Floats, Floats]:
    """Places along the frame's edge ``[1, N, 2]``, the disparities ``[1, N]`` that may be met
    there, and half the sides of the picture, in short sides."""
    height, width = relief.shape
    half = np.array([width, height], np.float32) / np.float32(2 * min(width, height))
    along = np.linspace(-1, 1, 33, dtype=np.float32)
    ones = np.ones_like(along)
    sides = ((along, ones), (along, -ones), (ones, along), (-ones, along))
    edge = np.concatenate([np.column_stack(pair) for pair in sides])
    far = relief.at((36, 48))
    places = ((edge + 1) / 2 * (47, 35)).round().astype(int)
    here = far[places[:, 1], places[:, 0]]
    near_by = [here, np.maximum(here - 0.1, 0), np.minimum(here + 0.1, 1)]
    at = np.tile(edge * half, (3, 1))[None]
    return at.astype(np.float32), np.concatenate(near_by)[None].astype(np.float32), half


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
