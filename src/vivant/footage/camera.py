"""How the camera of a clip stands to its first frame, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Plane
from vivant.footage.flow import shrunk

SHORT = 448
CORNERS = 400
LEAST_CORNERS = 12
"""Fewer that are found again, and the first frame is out of sight."""
HOME = 1.0
"""Pixels by which the way back may miss where a corner began."""
WINDOW, LEVELS = (21, 21), 4


def stands(frames: Iterable[Frame], where: Plane | None = None) -> list[Floats | None]:
    """For each frame of one shot the affine map ``[2, 3]``, in pixels of the frames, from places of
    the first frame to where they are in it; None from where it is out of sight.

    By corners (Shi and Tomasi), tracked from the first frame itself so that no error adds up, in
    ``where`` (255) if that holds enough of them.
    """
    out: list[Floats | None] = []
    first: NDArray[np.uint8] | None = None
    corners = np.zeros((0, 1, 2), np.float32)
    last = np.eye(2, 3, dtype=np.float32)
    scale = np.ones(2, np.float32)
    for frame in frames:
        small = _grey(frame)
        if first is None:
            first = small
            scale = np.array([frame.shape[1] / small.shape[1], frame.shape[0] / small.shape[0]])
            corners = _corners(small, where)
            out.append(last.copy())
            continue
        found = None if out[-1] is None else _tracked(first, small, corners, last)
        if found is not None:
            last = found
        out.append(None if found is None else _scaled(found, scale))
    return out


def _grey(frame: Frame) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(shrunk(frame, SHORT), cv2.COLOR_RGB2GRAY), np.uint8)


def _corners(grey: NDArray[np.uint8], where: Plane | None) -> Floats:
    """Corners ``[N, 1, 2]`` of the first frame."""
    tries: list[NDArray[np.uint8] | None] = [None]
    if where is not None:
        size = (grey.shape[1], grey.shape[0])
        tries.insert(0, np.asarray(cv2.resize(where, size, interpolation=cv2.INTER_AREA), np.uint8))
    for mask in tries:
        sure = None if mask is None else np.where(mask > 250, np.uint8(255), np.uint8(0))
        found = cv2.goodFeaturesToTrack(grey, CORNERS, 0.01, 6, mask=sure)
        if found is not None and len(found) >= 2 * LEAST_CORNERS:
            return np.asarray(found, np.float32)
    return np.zeros((0, 1, 2), np.float32)


def _tracked(
    first: NDArray[np.uint8], now: NDArray[np.uint8], corners: Floats, guess: Floats
) -> Floats | None:
    if len(corners) < LEAST_CORNERS:
        return None
    start = np.asarray(corners @ guess[:, :2].T + guess[:, 2], np.float32)
    there, seen = _followed(first, now, corners, start)
    back, also = _followed(now, first, there, corners.copy())
    astray = np.linalg.norm(back - corners, axis=2)[:, 0]
    sound = seen & also & (astray < HOME)
    if sound.sum() < LEAST_CORNERS:
        return None
    fitted, inside = cv2.estimateAffine2D(corners[sound], there[sound], ransacReprojThreshold=1.5)
    if fitted is None or int(inside.sum()) < LEAST_CORNERS:
        return None
    return np.asarray(fitted, np.float32)


def _followed(
    a: NDArray[np.uint8], b: NDArray[np.uint8], corners: Floats, start: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Where corners are in b, looked for from ``start`` (Lucas and Kanade, 1981), and whether."""
    there, seen, _ = cv2.calcOpticalFlowPyrLK(
        a,
        b,
        corners,
        start,
        winSize=WINDOW,
        maxLevel=LEVELS,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return np.asarray(there, np.float32), np.asarray(seen[:, 0] > 0)


def _scaled(map_: Floats, scale: Floats) -> Floats:
    """The same map in pixels of the frames."""
    out = map_.copy()
    out[:, :2] = scale[:, None] * map_[:, :2] / scale[None, :]
    out[:, 2] = scale * map_[:, 2]
    return out


def farthest(map_: Floats, size: tuple[int, int]) -> float:
    """By how many pixels a map moves a corner of a frame of ``size`` (width, height) at most."""
    w, h = size
    corners = np.array([[0, 0], [w, 0], [0, h], [w, h]], np.float32)
    return float(np.linalg.norm(corners @ map_[:, :2].T + map_[:, 2] - corners, axis=1).max())
