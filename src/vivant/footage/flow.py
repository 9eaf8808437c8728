"""Dense motion between two frames, both ways, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vivant.clip import Floats, Frame

WORK_SHORT = 448
"""Short side at which motion is looked for; what is larger is halved until it fits."""
ERROR = 12.0
"""Levels of unexplained difference at which a vector's weight has fallen to 1/e."""
LEAST_CORNERS = 8
ASTRAY = 1.5
"""Pixels (plus a tenth of the motion) by which the two ways may disagree."""


@dataclass(frozen=True, eq=False)
class BothWays:
    """Motion between the frames a and b on a grid that may be coarser than they are.

    ``forward`` ``[h, w, 2]`` leads from a to b, ``backward`` from b to a, both in pixels of the
    grid; ``sure_a``, ``sure_b`` ``[h, w]`` 0..1 say how well the other frame has what is there.
    """

    forward: Floats
    backward: Floats
    sure_a: Floats
    sure_b: Floats


def both_ways(a: Frame, b: Frame, preset: int = cv2.DISOPTICAL_FLOW_PRESET_MEDIUM) -> BothWays:
    """Motion between two frames ``[H, W, 3]`` of one size: dense inverse search (Kroeger et al.,
    ECCV 2016) each way, checked against the other way and against the colours."""
    small_a, small_b = shrunk(a), shrunk(b)
    forward, backward = flow(small_a, small_b, preset), flow(small_b, small_a, preset)
    return checked(small_a, small_b, forward, backward)


def checked(a: Frame, b: Frame, forward: Floats, backward: Floats) -> BothWays:
    """Motions between two frames with how sure they are."""
    sure_a, sure_b = _sure(a, b, forward, backward), _sure(b, a, backward, forward)
    return BothWays(forward, backward, sure_a, sure_b)


def flow(
    a: Frame,
    b: Frame,
    preset: int = cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
    start: Floats | None = None,
) -> Floats:
    """Pixels ``[H, W, 2]`` from a to b; ``start`` of that shape is where the search begins."""
    search = cv2.DISOpticalFlow.create(preset)
    begun = None if start is None else start.copy()  # which is written to
    return np.asarray(search.calc(grey(a), grey(b), begun), np.float32)


def shrunk(frame: Frame, short: int = WORK_SHORT) -> Frame:
    """The frame, halved until its short side is at most ``short`` pixels."""
    while min(frame.shape[:2]) > short:
        size = (-(-frame.shape[1] // 2), -(-frame.shape[0] // 2))
        frame = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
    return frame


def fetched(frame: Floats | Frame, motion: Floats, share: float = 1.0) -> Floats:
    """``frame`` read ``share * motion`` (pixels ``[H, W, 2]``) away from each place, float32."""
    h, w = motion.shape[:2]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    return np.asarray(
        cv2.remap(
            frame.astype(np.float32),
            x + np.float32(share) * motion[..., 0],
            y + np.float32(share) * motion[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.float32,
    )


def enlarged(motion: Floats, size: tuple[int, int]) -> Floats:
    """A motion on its grid as pixels of a frame of ``size`` (width, height)."""
    h, w = motion.shape[:2]
    if (w, h) == size:
        return motion
    scale = np.array([size[0] / w, size[1] / h], np.float32)
    return np.asarray(cv2.resize(motion, size, interpolation=cv2.INTER_LINEAR) * scale, np.float32)


def camera_motion(a: Frame, b: Frame) -> Floats:
    """The motion ``[H, W, 2]`` of a camera that turns, zooms or passes a flat scene: an affine map
    of tracked corners (RANSAC); none where they agree on none."""
    h, w = a.shape[:2]
    map_ = _affine(grey(a), grey(b))
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    motion = np.stack([x, y], axis=2) @ map_[:, :2].T + map_[:, 2] - np.stack([x, y], axis=2)
    sound = float(np.abs(motion).mean()) < min(h, w) / 3
    return motion.astype(np.float32) if sound else np.zeros_like(motion, np.float32)


def _affine(a: Frame, b: Frame) -> Floats:
    still = np.eye(2, 3, dtype=np.float32)
    corners = cv2.goodFeaturesToTrack(a, 400, 0.01, 8)
    if corners is None:
        return still
    there, found, _ = cv2.calcOpticalFlowPyrLK(a, b, corners, None, winSize=(21, 21), maxLevel=5)
    sound = found[:, 0] > 0
    if sound.sum() < LEAST_CORNERS:
        return still
    fitted, _ = cv2.estimateAffine2D(corners[sound], there[sound], ransacReprojThreshold=3)
    return still if fitted is None else np.asarray(fitted, np.float32)


def grey(frame: Frame) -> Frame:
    """A frame ``[H, W, 3]`` in grey, ``[H, W]``."""
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)


def _sure(a: Frame, b: Frame, there: Floats, back: Floats) -> Floats:
    """How well b has what a shows: by colour once slow changes of light are taken out, and by the
    way back leading home."""
    difference = a.astype(np.float32) - fetched(b, there)
    light = cv2.GaussianBlur(difference, (0, 0), min(a.shape[:2]) / 16)
    error = cv2.blur(np.abs(difference - light).mean(axis=2), (5, 5))
    astray = np.linalg.norm(there + fetched(back, there), axis=2)
    allowed = ASTRAY + 0.1 * np.linalg.norm(there, axis=2)
    return np.asarray(np.exp(-error / ERROR - (astray / allowed) ** 2), np.float32)
