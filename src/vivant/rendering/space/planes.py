"""Files of what frames show: depth, normals, things, mattes, in the layouts that others read.

``depth_NNNNN``: EXR, channel Z, and npz, ``depth``: distance along the camera's axis in units of
the nearest depth of the picture, infinite where there is none; PNG, 16 bit: inverse depth, near =
white, 65535 = ``white`` in ``truth.json``. ``normal_NNNNN``: EXR, R G B = x right, y down, z
forward of the camera, towards it; npz, ``normal``; PNG, 16 bit, (n + 1) / 2.
``instance_NNNNN.png``, 16 bit: 0 none, 1 + the number of a thing in ``truth.json``.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Plane
from vivant.media.exr import write_exr

FORMATS = ("exr", "png", "npz")
INFINITE = 1e-6
"""Inverse depth under which everything is infinitely far."""
MILLI = 1000.0
"""Steps of nerfstudio's 16-bit depth in a unit."""


def distance(disparity: Floats) -> Floats:
    """Distance along the axis of inverse depth ``[H, W]``, infinite where that is 0."""
    far = disparity <= INFINITE
    return np.where(far, np.float32(np.inf), 1 / np.maximum(disparity, INFINITE)).astype(np.float32)


def write_depth(stem: Path, disparity: Floats, kind: str, white: float) -> None:
    """One frame's depth; ``white`` is the inverse depth that is 65535 in PNG."""
    if kind == "exr":
        write_exr(stem.with_suffix(".exr"), {"Z": distance(disparity)})
    elif kind == "npz":
        np.savez_compressed(stem.with_suffix(".npz"), depth=distance(disparity))
    else:
        deep = np.clip(disparity / np.float32(white), 0, 1) * 65535
        write_plane(stem.with_suffix(".png"), np.round(deep).astype(np.uint16))


def write_normals(stem: Path, normals: Floats, kind: str) -> None:
    """One frame's normals ``[H, W, 3]``."""
    if kind == "exr":
        planes = {name: np.ascontiguousarray(normals[..., k]) for k, name in enumerate("RGB")}
        write_exr(stem.with_suffix(".exr"), planes)
    elif kind == "npz":
        np.savez_compressed(stem.with_suffix(".npz"), normal=normals.astype(np.float16))
    else:
        deep = np.round((normals + 1) / 2 * 65535).astype(np.uint16)
        write_plane(stem.with_suffix(".png"), np.ascontiguousarray(deep[..., ::-1]))


def write_plane(path: Path, values: NDArray[np.uint16] | Plane) -> None:
    """A PNG of 8 or 16 bits."""
    cv2.imwrite(str(path), values)


def write_millimetres(path: Path, disparity: Floats) -> None:
    """Distance as nerfstudio has it: 16-bit PNG, thousandths of a unit, 0 = unknown."""
    steps = distance(disparity) * MILLI
    write_plane(path, np.where(steps <= 65535, np.round(steps), 0).astype(np.uint16))
