"""What light falls on: which way the surfaces of a picture in relief face, and where they lie."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vivant.clip import Floats, Plane
from vivant.rendering.manners.manner import enlarged
from vivant.rendering.space.pose import Lens
from vivant.rendering.space.relief import Relief

SIDE = 128
"""Short side of the grid on which surfaces are looked at."""
SMOOTH = 5.0
"""Nodes over which depth is smoothed before it is differentiated: finer slopes are mostly wrong."""
FARTHEST = 0.06
"""Disparity from which on all is equally far."""
ROUND, DEEP = (0.03, 0.09), 0.8
"""Short sides over which a rounded thing bulges, and how steep it is at its edge."""


@dataclass(frozen=True, eq=False)
class Surfaces:
    """All ``[H, W]``: ``across`` and ``up``, the parts -1..1 of each surface's normal to the right
    and upwards; the share 0..1 that is ``sky``; the share ``free`` to change. ``ground``
    ``[h, w, 2]`` is where what is seen lies, seen from above: to the right, and away, in units of
    the nearest depth. ``lamps`` are planes 0..1 of what shines by itself, with what it
    lights; a ``grey`` picture stays so."""

    across: Floats
    up: Floats
    sky: Floats
    free: Floats
    ground: Floats
    lamps: tuple[Floats, ...] = ()
    grey: bool = False


def normals(relief: Relief, lens: Lens, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """The parts to the right and upwards ``[H, W]`` of the normals of a relief. Every sheet's are
    taken from its own disparity, which goes on beyond its edge: silhouettes face nowhere."""
    across, up = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for sheet in relief.sheets:
        matte = cv2.resize(sheet.matte, shape[::-1], interpolation=cv2.INTER_LINEAR)
        share = matte.astype(np.float32) / 255
        right, above = _facing(sheet.disparity, lens, shape)
        across += share * enlarged(right, shape)
        up += share * enlarged(above, shape)
    return across, up


def bulging(mattes: list[Plane], shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """The parts to the right and upwards ``[H, W]`` by which things stand out round from where they
    are, by their mattes (after Johnston, "Lumo: illumination for cel animation", 2002)."""
    grid = _grid(shape)
    across, up = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for matte in mattes:
        few = cv2.resize(matte, grid[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        own = cv2.resize(matte, shape[::-1], interpolation=cv2.INTER_LINEAR)
        share = own.astype(np.float32) / 255
        slopes = np.zeros((2, *grid), np.float32)
        for width in ROUND:
            sigma = width * min(grid)
            soft = cv2.GaussianBlur(few, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
            slopes += sigma * np.stack(np.gradient(soft)).astype(np.float32)
        away, right = slopes
        across -= share * enlarged(np.clip(DEEP * 2 * right, -1, 1), shape)
        up += share * enlarged(np.clip(DEEP * 2 * away, -1, 1), shape)
    return across, up


def ground_of(relief: Relief, lens: Lens) -> Floats:
    """Where what is seen lies ``[h, w, 2]``, from above: to the right, and away."""
    shape = _grid(relief.shape)
    near = cv2.GaussianBlur(relief.at(shape), (0, 0), SMOOTH)
    points = _points(np.asarray(near, np.float32), lens)
    return np.ascontiguousarray(points[..., (0, 2)])


def _facing(disparity: Floats, lens: Lens, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    grid = _grid(shape)
    near = cv2.resize(disparity, grid[::-1], interpolation=cv2.INTER_LINEAR)
    points = _points(np.asarray(cv2.GaussianBlur(near, (0, 0), SMOOTH), np.float32), lens)
    down, right = np.gradient(points, axis=(0, 1))
    facing = np.cross(down, right)  # towards the viewer, y down, z away
    facing /= np.maximum(np.linalg.norm(facing, axis=2, keepdims=True), 1e-9)
    facing *= np.where(facing[..., 2:] > 0, -1, 1)
    soft = cv2.GaussianBlur(facing.astype(np.float32), (0, 0), SMOOTH)
    return np.ascontiguousarray(soft[..., 0]), np.ascontiguousarray(-soft[..., 1])


def _points(near: Floats, lens: Lens) -> Floats:
    """Points ``[h, w, 3]`` in space of a grid of disparity."""
    h, w = near.shape
    short = min(h, w)
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    focal = np.float32(lens.focal * short)
    rays = np.dstack([(x - (w - 1) / 2) / focal, (y - (h - 1) / 2) / focal, np.ones_like(near)])
    return np.asarray(rays / np.maximum(near, FARTHEST)[..., None], np.float32)


def _grid(shape: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, SIDE / min(shape))
    return max(4, round(shape[0] * scale)), max(4, round(shape[1] * scale))
