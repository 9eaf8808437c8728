"""The cameras of a rendered clip, for other programs: one a frame, pinholes all of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path as File

import numpy as np

from vivant.clip import Floats, VideoSpec
from vivant.controls.path import CameraPath, Key
from vivant.controls.path_file import (
    Filmed,
    path_data,
    real_estate_text,
    transforms_data,
    turn_of,
)
from vivant.rendering.space.pose import Lens, Path, Pose


def of_path(path: Path, spec: VideoSpec) -> Filmed:
    """The cameras of a path through depth."""
    matrices = [_matrix(pose) for pose in path.poses]
    focals = tuple(path.lens.focal * pose.zoom for pose in path.poses)
    return _filmed(matrices, focals, np.full((len(focals), 2), 0.5), spec)


def of_views(views: Sequence[Floats], lens: Lens, spec: VideoSpec) -> Filmed:
    """The cameras of flat views, affine ``[2, 3]`` from frame to picture pixels, none where the
    camera stands still: what is shifted flat shifts the principal point."""
    sides = np.array([spec.width, spec.height], np.float64)
    middle = (sides - 1) / 2
    matrices, focals, centres = [], [], []
    for index in range(spec.count):
        affine = np.eye(2, 3) if not views or index == 0 else views[index].astype(np.float64)
        shrunk = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
        turn = np.eye(3)
        turn[:2, :2] = np.linalg.inv(affine[:, :2] / shrunk)
        shift = affine[:, :2] @ middle + affine[:, 2] - middle
        matrices.append(np.column_stack([turn, np.zeros(3)]))
        focals.append(lens.focal / shrunk)
        centres.append((middle - np.linalg.inv(affine[:, :2]) @ shift + 0.5) / sides)
    return _filmed(matrices, tuple(focals), np.array(centres), spec)


def _filmed(
    matrices: list[np.ndarray], focals: tuple[float, ...], centres: np.ndarray, spec: VideoSpec
) -> Filmed:
    times = tuple(index / spec.fps for index in range(spec.count))
    return Filmed(times, np.array(matrices), focals, centres, own=True)


def _matrix(pose: Pose) -> np.ndarray:
    """World to camera, ``[3, 4]``; the world's axes are those of the first camera."""
    rotation = pose.rotation
    return np.column_stack([rotation, -rotation @ np.array(pose.position)])


def write_cameras(folder: File, filmed: Filmed, size: tuple[int, int]) -> None:
    """``cameras.txt`` (RealEstate10K), ``transforms.json`` (nerfstudio, Blender) and
    ``camera.json`` (vivant) for frames of ``size`` (width, height)."""
    names = [f"frame_{index:05d}.png" for index in range(len(filmed.focals))]
    (folder / "cameras.txt").write_text(real_estate_text(filmed, size), "utf-8")
    data = transforms_data(filmed, size, names)
    (folder / "transforms.json").write_text(json.dumps(data, indent=1) + "\n", "utf-8")
    if np.allclose(filmed.centres, 0.5) and len(names) > 1:  # a key has no principal point
        rows = json.dumps(path_data(_keys(filmed)), indent=1)
        (folder / "camera.json").write_text(rows + "\n", "utf-8")


def _keys(filmed: Filmed) -> CameraPath:
    keys = []
    for index, (matrix, focal) in enumerate(zip(filmed.matrices, filmed.focals, strict=True)):
        x, y, z = (-matrix[:, :3].T @ matrix[:, 3]).tolist()
        view = float(np.degrees(2 * np.arctan(0.5 / focal)))
        at = 0.0 if filmed.times is None else filmed.times[index]
        keys.append(Key(at, position=(x, y, z), turn=turn_of(matrix), view=view, ease="spline"))
    return CameraPath(tuple(keys))
