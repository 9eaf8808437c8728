"""A camera that moves through the depth of footage whose own camera stood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np

from vivant.asset import Assets
from vivant.clip import Floats, Frame, Picture, VideoSpec
from vivant.controls.camera import Camera, combined
from vivant.errors import UsageError
from vivant.footage.piece import Means, Piece
from vivant.footage.source import footage_of
from vivant.footage.steady import Steady, steadied
from vivant.motion.held import look
from vivant.motion.relief import relief_of
from vivant.rendering.space.path import path_of
from vivant.rendering.space.pose import Lens, Pose
from vivant.rendering.space.relief import Relief
from vivant.request import Request, Runtime, Target

APART = 1.0
"""Seconds between the frames whose depth is seen; between them it changes evenly."""
ROWS = 96
"""Rows, or columns where it is upright, of the grid of depth."""
SOFT = 1.5
"""Nodes over which near goes over into far: frames are bent there, not torn, since what footage
hides is not known, and slices would show what moves twice."""
ROUNDS = 4
"""Times that a place is looked up again at the depth found there."""


@dataclass(frozen=True, eq=False)
class Stirred:
    """Steady footage as a ``camera`` sees it that moves; every ``apart`` frames depth is seen anew,
    since what moves takes its own with it."""

    steady: Steady
    camera: Camera
    video: VideoSpec
    runtime: Runtime
    apart: int

    def frames(self) -> Iterator[Frame]:
        """The frames, the first of them as it was, made anew at each call."""
        source = self.steady.frames()
        part = list(islice(source, self.apart + 1))
        relief = self._relief(part[0])
        path = path_of(self.camera, self.video, False, relief)
        before, index = near_of(relief), 0
        while part:
            after = near_of(self._relief(part[-1])) if len(part) > 1 else before
            for number, frame in enumerate(part[: self.apart]):
                share = np.float32(number / max(1, len(part) - 1))
                near = np.asarray(before + share * (after - before), np.float32)
                yield seen_from(frame, path.poses[index], near, path.lens)
                index += 1
            before = after
            part = [*part[self.apart :], *islice(source, self.apart)]

    def _relief(self, frame: Frame) -> Relief:
        looked = look(Picture(frame), self.runtime)
        return relief_of(looked, (frame.shape[1], frame.shape[0]))


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


def stirred(request: Request, assets: Assets, target: Target, means: Means) -> Piece:
    """Footage that a camera moves through. Raises UsageError where no move is asked for, or its own
    camera moves on already."""
    camera = combined(request.all(Camera))
    if not camera.moves:
        raise UsageError('Say how the camera shall move: --camera "truck-right 4%".')
    footage = footage_of(request, assets, target)
    steady = steadied(footage, "stir")
    steady.check(np.ones(steady.lost.shape, bool))
    fps = footage.info.fps
    video = VideoSpec(*footage.size, fps, footage.info.count)
    runtime = Runtime(depth=means.guests.depth, kinds=means.guests.kinds)
    work = Stirred(steady, camera, video, runtime, max(2, round(APART * fps)))
    notes = footage.notes
    if steady.maps is not None:
        notes = (*notes, "The camera that filmed it is steadied first.")
    return Piece(video, work.frames, notes, sound=footage.sound)
