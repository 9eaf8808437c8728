"""Bodies: things that leave their place whole, and what they uncover.

An inverse warp cannot move a discrete thing: its trailing edge drags the ground along and a
copy stays behind. Cells that the field marks as ``body`` are therefore cut out with a soft
matte (the guided filter as a matting step; He, Sun and Tang, ECCV 2010), carried along the
body's mean path without any deformation, and laid over a plate in which the hole they leave
is filled from its rim (Telea, "An image inpainting technique based on the fast marching
method", 2004).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, VideoSpec
from vivant.field.motion_field import MotionField
from vivant.field.operations import velocity_at
from vivant.render.camera import ease
from vivant.render.guided import guided_filter

MATTE_SHORT = 480
MATTE_EPSILON = 1e-5
FILL_SHORT = 360
FILL_RADIUS = 5
GONE = 0.02
"""Matte under which a place is no longer the body's."""


@dataclass(frozen=True)
class Body:
    """``matte`` ``[H, W]`` 0..1 in the first frame; ``path`` ``[count, 2]`` where it is in
    each frame, in frame pixels (x, y) from where it began."""

    matte: Floats
    path: Floats


def ground_of(field: MotionField) -> MotionField:
    """The field of everything that is no body."""
    if field.body is None:
        return field
    ground = (field.body <= 0).astype(np.float32)
    return replace(field, velocity=field.velocity * ground, body=None)


def find_bodies(field: MotionField, pixels: Frame, spec: VideoSpec, loop: bool) -> list[Body]:
    """One body for each connected region of ``field.body``."""
    if field.body is None:
        return []
    count, labels = cv2.connectedComponents((field.body > 0.5).astype(np.uint8))
    found = []
    for label in range(1, count):
        cells = (field.body * (labels == label)).astype(np.float32)
        around = cv2.dilate((labels == label).astype(np.uint8), np.ones((3, 3), np.uint8))
        found.append(Body(_matte(field.body * around, pixels), _path(field, cells, spec, loop)))
    return found


def _matte(cells: Floats, pixels: Frame) -> Floats:
    height, width = pixels.shape[:2]
    scale = min(1.0, MATTE_SHORT / min(width, height))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    coarse = cv2.resize(cells, size, interpolation=cv2.INTER_LINEAR)
    guide = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    radius = max(2, round(min(size) / 64))
    soft = guided_filter(guide, coarse, radius, MATTE_EPSILON)
    soft = np.clip((soft - 0.15) / 0.7, 0, 1).astype(np.float32)
    # nothing beyond the cells that were marked, whatever its colour
    soft *= cv2.dilate((coarse > 0.02).astype(np.float32), np.ones((radius, radius)))
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _path(field: MotionField, cells: Floats, spec: VideoSpec, loop: bool) -> Floats:
    """Integral of the mean velocity over the body; out and back in a loop."""
    share = cells / max(float(cells.sum()), 1e-6)
    times = (np.arange(spec.count) + 0.5) / spec.fps
    steps = np.array([(velocity_at(field, t) * share).sum(axis=(1, 2)) for t in times])
    path = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)]) / spec.fps
    if loop:
        out = np.array([ease(k / spec.count, loop=True) for k in range(spec.count)])
        path = out[:, None] * path[-1]
    return (path[: spec.count] * min(spec.width, spec.height)).astype(np.float32)


def plate(pixels: Frame, bodies: list[Body]) -> Frame:
    """The picture without its bodies: their places filled from the rim, the rest untouched."""
    if not bodies:
        return pixels
    matte = np.maximum.reduce([body.matte for body in bodies])
    height, width = matte.shape
    scale = min(1.0, FILL_SHORT / min(width, height))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    hole = cv2.resize((matte > GONE).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    hole = cv2.dilate(hole, np.ones((5, 5), np.uint8))
    filled = _calmed(cv2.inpaint(small, hole, FILL_RADIUS, cv2.INPAINT_TELEA), hole)
    filled = cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC)
    edge = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 1.0)
    share = cv2.resize(edge, (width, height), interpolation=cv2.INTER_LINEAR)
    share = np.maximum(share, np.minimum(matte / GONE, 1))[..., None]
    return np.asarray(pixels + share * (filled.astype(np.float32) - pixels) + 0.5, np.uint8)


def _calmed(filled: Frame, hole: NDArray[np.uint8]) -> Frame:
    """Blur a fill towards its middle, where rays from the rim would meet."""
    depth = cv2.distanceTransform(hole, cv2.DIST_L2, 3)
    deepest = float(depth.max())
    if deepest < 4:
        return filled
    soft = cv2.GaussianBlur(filled, (0, 0), deepest / 4)
    share = np.clip(2 * depth / deepest, 0, 1)[..., None]
    return np.asarray(filled + share * (soft.astype(np.float32) - filled) + 0.5, np.uint8)


def shifted_matte(body: Body, index: int) -> Floats:
    """Where the body is in frame ``index``, ``[H, W]`` 0..1."""
    height, width = body.matte.shape
    out = cv2.warpAffine(body.matte, _shift(body, index), (width, height))
    return np.asarray(out, np.float32)


def lay(frame: Frame, pixels: Frame, body: Body, index: int) -> Frame:
    """``frame`` with the body, cut from the picture ``pixels``, in its place of ``index``."""
    height, width = body.matte.shape
    matte = shifted_matte(body, index)
    inside = np.flatnonzero(matte.max(axis=1) > 0), np.flatnonzero(matte.max(axis=0) > 0)
    if not inside[0].size:
        return frame
    at = tuple(slice(int(i[0]), int(i[-1]) + 1) for i in inside)
    moved = cv2.warpAffine(
        pixels,
        _shift(body, index),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    share = matte[at][..., None]
    frame[at] = frame[at] + share * (moved[at].astype(np.float32) - frame[at]) + 0.5
    return frame


def _shift(body: Body, index: int) -> Floats:
    x, y = body.path[index]
    return np.array([[1, 0, x], [0, 1, y]], np.float32)
