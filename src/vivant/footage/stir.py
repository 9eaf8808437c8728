"""A camera moves through the depth of footage whose own camera stood, and its light changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.asset import Assets
from vivant.clip import Floats, Frame, Picture, VideoSpec
from vivant.controls.camera import Camera, combined
from vivant.controls.light import Light
from vivant.errors import UsageError
from vivant.footage.piece import Means, Piece
from vivant.footage.source import Footage, footage_of
from vivant.footage.steady import Steady, steadied
from vivant.motion.held import Looked, look
from vivant.motion.lighting import light_notes, surfaces_of
from vivant.motion.relief import relief_in
from vivant.rendering.illumination import Illumination, relit
from vivant.rendering.space.path import path_of
from vivant.rendering.space.pose import Lens, Pose
from vivant.rendering.space.relief import Relief
from vivant.rendering.surfaces import Surfaces
from vivant.request import Request, Runtime, Target
from vivant.scene.overlay import find_overlay
from vivant.scene.surround import find_surround

APART = 1.0
"""Seconds between the frames whose depth is seen; between them it changes evenly."""
AFTER = 0.5
"""The same where only the light changes: then its own camera may move."""
ROWS = 96
"""Rows, or columns where it is upright, of the grid of depth."""
SOFT = 1.5
"""Nodes over which near goes over into far: frames are bent there, not torn, since what footage
hides is not known, and slices would show what moves twice."""
ROUNDS = 4
"""Times that a place is looked up again at the depth found there."""


@dataclass(frozen=True, eq=False)
class Sight:
    """What is seen in one frame: its ``relief``, with disparity on a coarse grid, ``near``
    ``[h, w]``, and what ``light`` falls on, None where that does not change."""

    relief: Relief
    near: Floats
    light: Surfaces | None


@dataclass(frozen=True, eq=False)
class Stirred:
    """Footage in a ``light`` that changes, as a ``camera`` sees it that moves; ``own`` gives its
    frames. Every ``apart`` frames depth is seen anew, since what moves takes its own with it."""

    own: Callable[[], Iterator[Frame]]
    camera: Camera
    light: Illumination
    video: VideoSpec
    runtime: Runtime
    apart: int

    def frames(self) -> Iterator[Frame]:
        """The frames, the first of them as it was, made anew at each call."""
        source = self.own()
        part = list(islice(source, self.apart + 1))
        before, index = self._sight(part[0], None), 0
        path = path_of(self.camera, self.video, False, before.relief)
        while part:
            after = self._sight(part[-1], before) if len(part) > 1 else before
            for number, frame in enumerate(part[: self.apart]):
                share = np.float32(number / max(1, len(part) - 1))
                near = np.asarray(before.near + share * (after.near - before.near), np.float32)
                lit = self._lit(frame, before, after, share, index / self.video.fps)
                yield seen_from(lit, path.poses[index], near, path.lens)
                index += 1
            before = after
            part = [*part[self.apart :], *islice(source, self.apart)]

    def _sight(self, frame: Frame, before: Sight | None) -> Sight:
        """What is seen in a frame; shadows lie on the ground that was seen ``before``, since how
        far all is differs from look to look."""
        looked = look(Picture(frame), self.runtime)
        relief = relief_in(looked, frame)
        light = None
        if self.light.changes:
            light = surfaces_of(frame, looked, relief, _laid_over(frame, looked))
            if before is not None and before.light is not None:
                light = replace(light, ground=before.light.ground)
        return Sight(relief, near_of(relief), light)

    def _lit(
        self, frame: Frame, before: Sight, after: Sight, share: np.float32, at: float
    ) -> Frame:
        """A frame in the light of its time, between two that were looked at."""
        if before.light is None or after.light is None or at == 0:
            return frame
        stops = self.light.stops(before.light, at)
        if share:
            stops += share * (self.light.stops(after.light, at) - stops)
        return relit(frame, stops)


def _laid_over(frame: Frame, looked: Looked) -> NDArray[np.bool_] | None:
    """What is around the scene or lies over it ``[H, W]``, whose light does not change."""
    overlay = None if looked.falling is not None else find_overlay(frame)
    found = [part for part in (find_surround(frame), overlay) if part is not None]
    return np.logical_or.reduce(found) if found else None


def near_of(relief: Relief) -> Floats:
    """Disparity on a coarse grid ``[h, w]``, without steps; things keep theirs to their rim."""
    height, width = relief.shape
    scale = ROWS / min(height, width)
    found = relief.at((round(height * scale), round(width * scale)))
    whole = cv2.dilate(np.asarray(found, np.float32), np.ones((3, 3), np.uint8))
    return np.asarray(cv2.GaussianBlur(whole, (0, 0), SOFT), np.float32)


def seen_from(frame: Frame, pose: Pose, near: Floats, lens: Lens) -> Frame:
    """A frame ``[H, W, 3]`` of disparity ``near`` ``[h, w]`` as it is seen from a pose."""
    if pose == Pose():
        return frame
    h, w = near.shape
    short, (height, width) = min(frame.shape[:2]), frame.shape[:2]
    half = np.array([width, height], np.float32) / np.float32(2 * short)
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    cells = np.array([w, h], np.float32)
    here = np.dstack([x, y]) + np.float32(0.5)
    places = np.asarray((here / cells * 2 - 1) * half, np.float32)
    found = places
    for _ in range(ROUNDS):
        at = np.asarray((found / half + 1) / 2 * cells - np.float32(0.5), np.float32)
        there = cv2.remap(near, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        found = lens.sources(pose, places, np.asarray(there, np.float32))
    shift = cv2.resize((found - places) * np.float32(short), (width, height))
    columns, rows = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    at = np.dstack([columns, rows]) + shift
    out = cv2.remap(frame, at, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8)


def _steady(footage: Footage) -> Steady:
    steady = steadied(footage, "stir")
    steady.check(np.ones(steady.lost.shape, bool))
    return steady


def stirred(request: Request, assets: Assets, target: Target, means: Means) -> Piece:
    """Footage that a camera moves through, or whose light changes. Raises UsageError where neither
    is asked for, it has a cut, or a camera is to move and its own moves on already."""
    camera, lights = combined(request.all(Camera)), request.all(Light)
    if not (camera.moves or lights):
        raise UsageError(
            'Say how the camera shall move, --camera "truck-right 4%", or what the light shall do,'
            " --light dusk."
        )
    footage = footage_of(request, assets, target)
    steady = _steady(footage) if camera.moves else None
    if len(footage.shots) > 1:
        at = footage.shots[0][1] / footage.info.fps
        raise UsageError(f"{footage.asset.name} has a cut at {at:.2f} s; stir takes one shot.")
    fps = footage.info.fps
    video = VideoSpec(*footage.size, fps, footage.info.count)
    runtime = Runtime(depth=means.guests.depth, kinds=means.guests.kinds)
    light = Illumination(lights, video.seconds, seed=request.seed)
    own, apart = (footage.frames, AFTER) if steady is None else (steady.frames, APART)
    work = Stirred(own, camera, light, video, runtime, max(2, round(apart * fps)))
    notes = (*footage.notes, *light_notes(lights))
    if steady is not None and steady.maps is not None:
        notes = (*notes, "The camera that filmed it is steadied first.")
    return Piece(video, work.frames, notes, sound=footage.sound)
