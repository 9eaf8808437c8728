"""The camera: an affine view of the moving picture that never looks beyond its edge."""

from __future__ import annotations

import math

import numpy as np

from vivant.clip import Floats
from vivant.controls.camera import Camera
from vivant.rendering.source import Sight


def ease(share: float, loop: bool) -> float:
    """How much of the camera's way is done: smooth start and stop; out and back in a loop."""
    if loop:
        return 0.5 - 0.5 * math.cos(2 * math.pi * share)
    return share * share * (3 - 2 * share)


def view(camera: Camera, way: float, width: int, height: int) -> Floats:
    """Affine ``[2, 3]`` from frame pixels to picture pixels after a share ``way`` of the move.

    Pans and rolls would look beyond the edge, so the view closes in just as far as needed;
    nothing is done at ``way`` 0. ``camera.zoom`` comes on top.
    """
    short = min(width, height)
    angle = math.radians(camera.roll) * way
    shift = np.array([camera.pan_x, camera.pan_y]) * short * way
    cos, sin = math.cos(angle), math.sin(angle)
    turn = np.array([[cos, sin], [-sin, cos]])
    half = np.array([(width - 1) / 2, (height - 1) / 2])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half @ turn.T
    room = half - np.abs(shift)
    if (room <= 0.05 * half).any():
        room = np.maximum(room, 0.05 * half)
        shift = np.sign(shift) * np.minimum(np.abs(shift), half - room)
    fit = float((room / np.abs(corners).max(axis=0)).min())
    scale = min(fit, 1.0) / (1 + camera.zoom * way)
    linear = scale * turn
    offset = half + shift - linear @ half
    return np.column_stack([linear, offset]).astype(np.float32)


def zoom_of(affine: Floats) -> float:
    """How many pixels a view shows for one pixel of the picture."""
    return float(1 / np.sqrt(abs(np.linalg.det(affine[:, :2]))))


def sight(affine: Floats, width: int, height: int) -> Sight:
    """What a view sees of the picture."""
    right, bottom = width - 1, height - 1
    corners = np.array([[0, 0, 1], [right, 0, 1], [0, bottom, 1], [right, bottom, 1]]) @ affine.T
    left, top = corners.min(axis=0)
    right, bottom = corners.max(axis=0)
    return Sight(zoom_of(affine), (float(left), float(top), float(right), float(bottom)))
