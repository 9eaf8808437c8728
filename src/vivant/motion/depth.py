"""A depth map that is given: brought to the picture, kept with the motion, seen instead of the
network's."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.asset import Assets
from vivant.clip import DepthMap, Floats, Picture
from vivant.controls.camera import Camera, combined
from vivant.controls.depth import GivenDepth
from vivant.controls.fov import needs_depth
from vivant.controls.path import CameraPath
from vivant.errors import UsageError
from vivant.media.resize import cut_share
from vivant.motion.held import scene_of
from vivant.request import Request, Runtime, Target
from vivant.scene.network import with_depth
from vivant.scene.record import Scene

Kept = NDArray[np.uint16]
"""Disparity ``[h, w]``, 65535 the nearest: as a motion keeps it."""
MOST_SHORT = 720
"""Short side of what is kept."""
SAME_ASPECT = 0.02
INVERTED = -0.3
"""Correlation with what is seen from which near and far are probably exchanged."""


def given_depth(request: Request, assets: Assets) -> Kept | None:
    """The depth that a request gives; None where it gives none."""
    control = request.one(GivenDepth)
    return None if control is None else kept(assets.depth(control.map))


def kept(depth: DepthMap) -> Kept:
    """A map as it is used and kept."""
    scale = MOST_SHORT / min(depth.size)
    values = depth.values
    if scale < 1:
        values = cv2.resize(values, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(np.round(np.clip(values, 0, 1) * 65535), np.uint16)


def plane(depth: Kept, size: tuple[int, int]) -> Floats:
    """Disparity ``[H, W]`` 0..1 at ``size`` (width, height), cut at the centre as pictures are."""
    values = np.asarray(depth / np.float32(65535), np.float32)
    height, width = values.shape
    scale = max(size[0] / width, size[1] / height)
    wide, high = (max(t, round(s * scale)) for t, s in zip(size, (width, height), strict=True))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(values, (wide, high), interpolation=method)
    left, top = (wide - size[0]) // 2, (high - size[1]) // 2
    return np.ascontiguousarray(scaled[top : top + size[1], left : left + size[0]])


def scene_with(scene: Scene, depth: Kept, seen_by: dict[str, str]) -> Scene:
    """The scene with the given depth in place of the network's."""
    return with_depth(scene, _on_grid(depth, scene.grid), seen_by)


def seen_with(scene: Scene, request: Request, assets: Assets) -> Scene:
    """The scene with the depth that a request gives, where it gives one."""
    control, depth = request.one(GivenDepth), given_depth(request, assets)
    if control is None or depth is None:
        return scene
    return scene_with(scene, depth, {control.map.name or "depth": control.map.sha256})


def _on_grid(depth: Kept, grid: tuple[int, int]) -> Floats:
    values = np.asarray(depth / np.float32(65535), np.float32)
    return np.asarray(cv2.resize(values, grid[::-1], interpolation=cv2.INTER_AREA), np.float32)


def check_fits(depth: DepthMap, picture: Picture, option: str = "--depth") -> None:
    """Raises UsageError where a depth map has another aspect than its picture."""
    if cut_share(picture.size, depth.size) > SAME_ASPECT:
        (wide, high), (width, height) = depth.size, picture.size
        raise UsageError(
            f"The {option} map {depth.name} is {wide}x{high} but the picture is {width}x{height};"
            " make them the same shape."
        )


def depth_notes(
    request: Request, assets: Assets, picture: Picture, runtime: Runtime, target: Target
) -> list[str]:
    """What is to be said of a given depth map. Raises UsageError where it does not fit."""
    control = request.one(GivenDepth)
    if control is None:
        return []
    depth = assets.depth(control.map)
    check_fits(depth, picture)
    notes, seen = [], scene_of(picture, runtime)
    own = _on_grid(kept(depth), seen.grid)
    if np.corrcoef(own.ravel(), seen.depth.ravel())[0, 1] < INVERTED:
        notes.append(
            f"{depth.name} looks inverted: near must be white, and far black; if it is not so,"
            " invert it."
        )
    camera = combined(request.all(Camera))
    exports = dict(target.artefacts)
    used = needs_depth(camera, request.all(CameraPath)) or camera.zoom or exports
    if not used:
        notes.append(f"{depth.name} changes nothing: the camera does not go through depth.")
    return notes
