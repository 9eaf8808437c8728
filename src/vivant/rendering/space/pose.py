"""Where the camera is and which way it looks: a pinhole camera before a relief.

Lengths are in units of the nearest depth; picture places in short sides from the middle. A point at
place ``u`` with disparity ``q`` lies at ``(u / focal, 1) / q`` (Hartley and Zisserman, "Multiple
View Geometry", 2004).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import cos, radians, sin, tan

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats

Matrix = NDArray[np.float64]
NEAREST = 0.05
"""Depth, in units of the nearest, behind which nothing comes."""


@dataclass(frozen=True)
class Pose:
    """``position`` x right, y down, z forward; ``turn`` degrees: pan to the right, tilt down, roll
    clockwise; ``zoom`` of the focal length; ``blurs``: pairs of a disparity in focus and the blur
    in short sides (standard deviation) of what is farthest from it."""

    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0)
    zoom: float = 1.0
    blurs: tuple[tuple[float, float], ...] = ()

    @property
    def rotation(self) -> Matrix:
        """From the first camera's axes to this one's, ``[3, 3]``."""
        pan, tilt, roll = (radians(angle) for angle in self.turn)
        about_y = np.array([[cos(pan), 0, -sin(pan)], [0, 1, 0], [sin(pan), 0, cos(pan)]])
        about_x = np.array([[1, 0, 0], [0, cos(tilt), -sin(tilt)], [0, sin(tilt), cos(tilt)]])
        about_z = np.array([[cos(roll), sin(roll), 0], [-sin(roll), cos(roll), 0], [0, 0, 1]])
        return np.asarray(about_z @ about_x @ about_y, np.float64)

    def blur(self, disparity: Floats) -> Floats:
        """Blur in short sides of what lies at disparities ``[h, w]``, of a thin lens: in proportion
        to how far their disparity is from that in focus."""
        total = np.zeros_like(disparity)
        for focus, most in self.blurs:
            away = np.abs(disparity - np.float32(focus)) / np.float32(max(focus, 1 - focus))
            total += away * np.float32(most)
        return total


@dataclass(frozen=True)
class Lens:
    """``view``: degrees across the short side."""

    view: float = 50.0

    @property
    def focal(self) -> float:
        """Short sides."""
        return 0.5 / tan(radians(self.view) / 2)

    def sources(self, pose: Pose, at: Floats, disparity: Floats) -> Floats:
        """Where what is seen at places ``at`` ``[h, w, 2]`` lies in the first picture, if it has a
        ``disparity`` ``[h, w]``."""
        focal = self.focal
        rays = np.dstack([at / np.float32(focal * pose.zoom), np.ones_like(disparity)])
        rays = rays @ pose.rotation.astype(np.float32)  # the transpose, from the right
        x, y, z = (np.float32(v) for v in pose.position)
        scale = np.maximum(1 - disparity * z, NEAREST) / np.maximum(rays[..., 2], NEAREST)
        found = np.dstack(
            [rays[..., 0] * scale + disparity * x, rays[..., 1] * scale + disparity * y]
        )
        return np.asarray(found * np.float32(focal), np.float32)

    def images(self, pose: Pose, at: Floats, disparity: Floats) -> Floats:
        """Where what lies at places ``at`` ``[h, w, 2]`` of the first picture, with a ``disparity``
        ``[h, w]``, is seen."""
        focal = self.focal
        rays = np.dstack([at / np.float32(focal), np.ones_like(disparity)])
        rays = rays - disparity[..., None] * np.array(pose.position, np.float32)
        rays = rays @ pose.rotation.T.astype(np.float32)
        out = rays[..., :2] / np.maximum(rays[..., 2:], NEAREST) * np.float32(focal * pose.zoom)
        return np.asarray(out, np.float32)


@dataclass(frozen=True)
class Path:
    """The ``poses`` of all frames, the first the picture's own, the ``lens``, and how far beyond
    the picture's edge they look, ``margin`` short sides."""

    poses: tuple[Pose, ...] = ()
    lens: Lens = field(default_factory=Lens)
    margin: float = 0.0

    @property
    def moves(self) -> bool:
        """Whether any pose differs from the first."""
        return any(pose != Pose() for pose in self.poses)
