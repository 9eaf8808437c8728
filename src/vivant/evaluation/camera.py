"""What the camera of a clip did, measured from its frames, against what was asked."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.controls.camera import Camera
from vivant.evaluation.frames import Frames, flow, shrink
from vivant.rendering.camera import view

Affine = NDArray[np.float64]
STRIDE, MARGIN, STEPS = 4, 0.04, 24


@dataclass(frozen=True)
class Move:
    """The view's way over a clip: right and down in short sides, scale of the picture on screen
    (1.1 = ten per cent larger), clockwise turn in degrees; ``share`` of the picture that follows
    it, 0 to 1."""

    pan_x: float
    pan_y: float
    scale: float
    roll: float
    share: float


@dataclass(frozen=True)
class CameraError:
    """How far a measured move is from the one asked: pan in short sides, scale as a ratio's
    natural logarithm, roll in degrees; all at least 0."""

    pan: float
    scale: float
    roll: float


def similarity(field: NDArray[np.float32]) -> tuple[Affine, float]:
    """The similarity ``[2, 3]`` in pixels that most of a flow ``[H, W, 2]`` follows, and the
    share of it that does (within one pixel; RANSAC, Fischler and Bolles, 1981).

    The rim is left out: what enters there has no match. Raises ValueError where none fits.
    """
    h, w = field.shape[:2]
    rim = max(1, round(MARGIN * min(h, w)))
    y, x = np.mgrid[rim : h - rim : STRIDE, rim : w - rim : STRIDE]
    start = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)
    end = start + field[y.ravel(), x.ravel()]
    cv2.setRNGSeed(0)
    matrix, inliers = cv2.estimateAffinePartial2D(
        start, end, method=cv2.RANSAC, ransacReprojThreshold=1.0, confidence=0.999
    )
    if matrix is None:
        raise ValueError("no similarity fits the flow")
    return np.asarray(matrix, np.float64), float(inliers.mean())


def camera_of(frames: Frames) -> Move:
    """The camera's move from the first frame to the last, ``frames`` ``[T, H, W, 3]``.

    Similarities of the flow between up to 24 steps are chained; ``share`` is their mean. What
    moves across most of the picture is taken for the camera. Raises ValueError below two frames.
    """
    if len(frames) < 2:
        raise ValueError("a camera's move needs two frames")
    every = np.unique(np.linspace(0, len(frames) - 1, STEPS + 1).round().astype(int))
    small = shrink(frames[every])
    whole, shares = np.eye(3), []
    for before, after in itertools.pairwise(small):
        step, share = similarity(flow(before, after))
        whole = np.vstack([step, [0, 0, 1]]) @ whole
        shares.append(share)
    height, width = small.shape[1:3]
    return move_of(whole[:2], width, height, float(np.mean(shares)))


def move_of(screen: Affine, width: int, height: int, share: float = 1.0) -> Move:
    """A move from the similarity ``[2, 3]`` that takes first-frame pixels to last-frame ones.

    The pan is the way of the picture's point that ends in the middle of the screen.
    """
    scale = math.hypot(screen[0, 0], screen[1, 0])
    roll = math.degrees(math.atan2(screen[1, 0], screen[0, 0]))
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    seen = np.linalg.solve(screen[:, :2], middle - screen[:, 2])
    pan = (seen - middle) / min(width, height)
    return Move(float(pan[0]), float(pan[1]), scale, roll, share)


def asked(camera: Camera, width: int, height: int) -> Move:
    """The move a camera request means at the end of a clip of this shape: pans and rolls close in
    as far as the picture's edge demands."""
    source = np.vstack([view(camera, 1.0, width, height).astype(np.float64), [0, 0, 1]])
    return move_of(np.linalg.inv(source)[:2], width, height)


def camera_error(found: Move, wanted: Move) -> CameraError:
    """How far apart two moves are."""
    turn = (found.roll - wanted.roll + 180) % 360 - 180
    return CameraError(
        pan=math.hypot(found.pan_x - wanted.pan_x, found.pan_y - wanted.pan_y),
        scale=abs(math.log(found.scale / wanted.scale)),
        roll=abs(turn),
    )
