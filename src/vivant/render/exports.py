"""Ground truth of a rendered clip: its flow, occlusion and moving area, from its own maps.

Between frames t and t + 1 the renderer fetches every place from ``y - step(y)``, so the
backward flow is exact; the forward flow is its inverse, found by iteration. Both include the
camera. Where texture is renewed they state the motion, not the renewal.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, VideoSpec
from vivant.field.motion_field import MotionField
from vivant.render.advect import drift_matte, grid_of, period_of, sway_step
from vivant.render.bodies import find_bodies, ground_of, shifted_matte
from vivant.render.camera import ease, view
from vivant.render.shot import Shot
from vivant.render.work import to_work
from vivant.request import Progress, no_progress

FLOW_FORMATS = ("flo", "kitti", "npz")
MOVING_PIXELS = 0.05
AGREE_PIXELS = 0.5


@dataclass(frozen=True)
class FlowPair:
    """Flow between frames t and t + 1 in pixels ``[H, W, 2]``: ``forward`` leads from t to
    t + 1, ``backward`` from t + 1 to t; ``occluded`` ``[H, W]``: places of frame t that are
    not seen in t + 1."""

    forward: Floats
    backward: Floats
    occluded: NDArray[np.bool_]


def flows(shot: Shot, field: MotionField) -> Iterator[FlowPair]:
    """Flow of every pair of consecutive frames that the renderer makes of ``field``."""
    spec, camera = shot.spec, shot.controls.camera
    motion = to_work(ground_of(field), shot.picture.pixels)
    bodies = find_bodies(field, shot.picture.pixels, spec, shot.loop)
    period = period_of(spec.seconds, shot.loop)
    drift = drift_matte(motion, period)[..., None]
    size = (spec.width, spec.height)
    ratio = np.array([size[0] / motion.size[0], size[1] / motion.size[1]], np.float32)
    grid = grid_of(size)
    held = shot.controls.still
    for frame in range(spec.count - 1):
        drifting = motion.at((frame + 0.5) / spec.fps) / np.float32(spec.fps)
        swaying = sway_step(motion, frame, spec.fps, shot.loop)
        step = swaying + drift * (drifting - swaying)
        full = cv2.resize(step * ratio, size, interpolation=cv2.INTER_LINEAR)
        for body in bodies:
            there = shifted_matte(body, frame + 1) > 0.5
            full = np.where(there[..., None], body.path[frame + 1] - body.path[frame], full)
        if held is not None:
            full = np.where((held > 127)[..., None], np.float32(0), full)
        views = [view(camera, ease((frame + k) / spec.count, shot.loop), *size) for k in (0, 1)]
        backward = _backward(grid, full, views, camera.moves)
        yield _pair(grid, backward)


def _backward(grid: Floats, step: Floats, views: list[Floats], camera: bool) -> Floats:
    if not camera:
        return np.asarray(-step, np.float32)
    scene = cv2.transform(grid, views[1])
    moved = cv2.remap(step, scene, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    back = cv2.invertAffineTransform(views[0]).astype(np.float32)
    return np.asarray(cv2.transform(scene - moved, back) - grid, np.float32)


def _pair(grid: Floats, backward: Floats) -> FlowPair:
    forward = -backward
    for _ in range(4):
        at = grid + forward
        forward = -_fetch(backward, at)
    at = grid + forward
    error = np.linalg.norm(forward + _fetch(backward, at), axis=-1)
    h, w = error.shape
    outside = (
        (at[..., 0] < -0.5) | (at[..., 1] < -0.5) | (at[..., 0] > w - 0.5) | (at[..., 1] > h - 0.5)
    )
    return FlowPair(forward, backward, (error > AGREE_PIXELS) | outside)


def _fetch(values: Floats, at: Floats) -> Floats:
    out = cv2.remap(values, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32)


def export(
    shot: Shot,
    field: MotionField,
    folder: Path,
    parts: tuple[str, ...],
    progress: Progress = no_progress,
) -> None:
    """Write ``parts`` for every pair of frames into ``folder``, which is there.

    "flow" (.flo) or "flow:FORMAT" gives ``forward_NNNNN`` and ``backward_NNNNN`` (.flo, KITTI
    16-bit .png or .npz); "mask" gives ``occlusion_NNNNN.png`` and ``moving_NNNNN.png``.
    """
    formats = [part.partition(":")[2] or FLOW_FORMATS[0] for part in parts if part != "mask"]
    pairs = max(1, shot.spec.count - 1)
    for index, pair in enumerate(flows(shot, field)):
        for name in formats:
            all_valid = np.ones_like(pair.occluded)
            _write_flow(folder / f"forward_{index:05d}", pair.forward, ~pair.occluded, name)
            _write_flow(folder / f"backward_{index:05d}", pair.backward, all_valid, name)
        if "mask" in parts:
            moving = np.linalg.norm(pair.forward, axis=-1) > MOVING_PIXELS
            _write_mask(folder / f"moving_{index:05d}.png", moving)
            _write_mask(folder / f"occlusion_{index:05d}.png", pair.occluded)
        progress("exporting", (index + 1) / pairs)


BYTES_A_PIXEL = {"flow": 16.0, "flow:flo": 16.0, "flow:kitti": 4.0, "flow:npz": 3.0, "mask": 0.05}
"""Of both directions, roughly; ``.flo`` is not compressed, the others depend on the motion."""


def export_bytes(video: VideoSpec, parts: tuple[str, ...]) -> float:
    """About how much `export` will write."""
    pixels = video.width * video.height * max(0, video.count - 1)
    return pixels * sum(BYTES_A_PIXEL[part] for part in parts)


def _write_mask(path: Path, mask: NDArray[np.bool_]) -> None:
    cv2.imwrite(str(path), mask.astype(np.uint8) * 255)


def _write_flow(stem: Path, flow: Floats, valid: NDArray[np.bool_], flow_format: str) -> None:
    if flow_format == "flo":
        write_flo(stem.with_suffix(".flo"), flow)
    elif flow_format == "kitti":
        write_kitti(stem.with_suffix(".png"), flow, valid)
    else:
        np.savez_compressed(stem.with_suffix(".npz"), flow=flow.astype(np.float16), valid=valid)


def write_flo(path: Path, flow: Floats) -> None:
    """Middlebury .flo: tag 202021.25, width, height, then x and y interleaved, float32."""
    height, width = flow.shape[:2]
    header = struct.pack("<fii", 202021.25, width, height)
    path.write_bytes(header + np.ascontiguousarray(flow, "<f4").tobytes())


def write_kitti(path: Path, flow: Floats, valid: NDArray[np.bool_]) -> None:
    """KITTI 2015 flow: 16-bit PNG, 64 * flow + 2^15 in red and green, validity in blue."""
    coded = np.clip(flow * 64 + 32768.5, 0, 65535).astype(np.uint16)
    picture = np.dstack([valid.astype(np.uint16), coded[..., 1], coded[..., 0]])
    cv2.imwrite(str(path), picture)
