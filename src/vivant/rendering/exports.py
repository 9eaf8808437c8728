"""Ground truth of a rendered clip: its flow, occlusion and moving area, from its own maps.

A place of frame t + 1 shows what its texture fetches from the picture; its backward flow leads
to the place of frame t at which the same texture fetches the same, found by iteration, so it is
exact. The forward flow is its inverse. Both include the camera. Where two textures are mixed
(renewal), at the soft edge of a body and where something comes into sight there is no exact
flow: the motion of the texture that is seen more is stated, and ``exact`` says where.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path as File

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, VideoSpec
from vivant.field.motion_field import MotionField
from vivant.rendering.advect import Layers, grid_of, layers
from vivant.rendering.bodies import Body, find_bodies, ground_of, shifted_matte
from vivant.rendering.layers import Stage
from vivant.rendering.parameters import RENDERING, Rendering
from vivant.rendering.renderer import Held, held_of, views_of
from vivant.rendering.shot import Shot
from vivant.rendering.source import Source
from vivant.rendering.space.pose import Path
from vivant.rendering.space.relief import Relief
from vivant.rendering.space.truth import SOFT, through
from vivant.rendering.space.view import View, fetched
from vivant.rendering.warp import ALONE, Warp
from vivant.rendering.work import to_work
from vivant.request import Progress, no_progress

FLOW_FORMATS = ("flo", "kitti", "npz")
FLOWS = ("mask", "occlusion", "flow", *(f"flow:{name}" for name in FLOW_FORMATS))
"""What `export` writes."""
MOVING_PIXELS = 0.05
AGREE_PIXELS = 0.5
EXACT_PIXELS = 0.1
"""Places that differ by less count as the same."""
ITERATIONS = 6
Where = NDArray[np.bool_]


@dataclass(frozen=True)
class FlowPair:
    """Flow between frames t and t + 1 in pixels ``[H, W, 2]``: ``forward`` leads from t to
    t + 1, ``backward`` from t + 1 to t; ``occluded`` ``[H, W]``: places of frame t that are
    not seen in t + 1; ``forward_exact`` and ``backward_exact`` ``[H, W]``: where the flow is that
    of the pixels, and not only that of the motion."""

    forward: Floats
    backward: Floats
    occluded: Where
    forward_exact: Where
    backward_exact: Where


@dataclass(frozen=True)
class _Shown:
    """A frame before the camera: displacements ``[H, W, 2]`` of both textures in pixels, the
    weight of the second, and each body's matte ``[H, W]``."""

    even: Floats
    odd: Floats
    share: Floats
    mattes: list[Floats]


def flows(shot: Shot, field: MotionField, rendering: Rendering = RENDERING) -> Iterator[FlowPair]:
    """Flow of every pair of consecutive frames that the renderer makes of ``field``."""
    spec, loop, still = shot.spec, shot.loop, shot.controls.front
    size = (spec.width, spec.height)
    source = Source(shot.picture.pixels, size)
    motion = to_work(ground_of(field), source.fitted, rendering)
    bodies = find_bodies(field, source.fitted, spec, loop, rendering)
    held = None if still is None else held_of(still, shot.picture, size)
    warp = Warp.of(source, motion, held, rendering)
    views = views_of(shot.controls.camera, spec, loop)
    before = None
    for index, parts in enumerate(layers(motion, spec.count, spec.fps, loop, rendering)):
        now = _shown(warp, parts, bodies, index)
        if before is not None:
            flow, exact = _scene_flow(warp.grid, before, now, bodies, index)
            if held is not None:
                flow, exact = np.where(held[..., None], np.float32(0), flow), exact | held
            if views:
                flow, exact = _through(warp.grid, flow, exact, views[index - 1], views[index])
            yield _pair(warp.grid, flow, exact)
        before = now


def stage_flows(
    shot: Shot,
    stage_of: Callable[[Frame], Stage],
    bodies: list[Body],
    held: Held | None,
    space: tuple[Relief, Path] | None = None,
) -> Iterator[FlowPair]:
    """Flow of every pair of consecutive frames of layers on a stage, and bodies upon them; with a
    ``space``, as seen along a path through it."""
    spec, loop, pixels = shot.spec, shot.loop, shot.picture.pixels
    stage, grid = stage_of(pixels), grid_of((spec.width, spec.height))
    view = None if space is None else View(pixels, *space)
    views = [] if view is not None else views_of(shot.controls.camera, spec, loop)
    before = None
    for index in range(spec.count):
        even, odd, share, known = stage.shown(index / spec.fps)
        now = _Shown(even, odd, share, [shifted_matte(body, index) for body in bodies])
        if before is not None:
            flow, exact = _scene_flow(grid, before, now, bodies, index)
            exact &= known
            if held is not None:
                flow, exact = np.where(held[..., None], np.float32(0), flow), exact | held
            if views:
                flow, exact = _through(grid, flow, exact, views[index - 1], views[index])
            if view is not None and space is not None:
                poses = space[1].poses
                flow, exact = through(view, poses[index - 1], poses[index], flow, exact)
            yield _pair(grid, flow, exact)
        before = now


def _shown(warp: Warp, parts: Layers, bodies: list[Body], index: int) -> _Shown:
    even, odd = (warp.free(warp.full(d)) for d in (parts.even, parts.odd))
    mattes = [shifted_matte(body, index) for body in bodies]
    return _Shown(even, odd, warp.full_share(parts), mattes)


def _scene_flow(
    grid: Floats, before: _Shown, now: _Shown, bodies: list[Body], index: int
) -> tuple[Floats, Where]:
    """Backward flow ``[H, W, 2]`` and where it is exact, without the camera."""
    even, odd = (_back(grid, *pair) for pair in ((before.even, now.even), (before.odd, now.odd)))
    later = now.share > 0.5
    flow = np.where(later[..., None], odd[0], even[0])
    exact = np.where(later, odd[1], even[1]) & (np.abs(now.share - later) < ALONE)
    covered = np.zeros_like(later)
    for body, matte in zip(bodies, now.mattes, strict=True):
        there = matte > 0.5
        flow = np.where(there[..., None], body_flow(grid, body, index), flow)
        exact = np.where(there, True, exact) & ((matte < SOFT) | (matte > 1 - SOFT))
        covered |= there
    at = grid + flow
    exact &= covered | (np.abs(fetched(before.share, at) - later) < ALONE)
    for matte in before.mattes:
        exact &= covered | (fetched(matte, at) < SOFT)
    return np.asarray(flow, np.float32), exact


def body_flow(grid: Floats, body: Body, index: int) -> Floats:
    """Where each place ``[H, W, 2]`` of a body was in the frame before, from where it is."""
    back = cv2.invertAffineTransform(body.placed(index))
    return np.asarray(
        cv2.transform(cv2.transform(grid, back), body.placed(index - 1)) - grid, np.float32
    )


def _back(grid: Floats, before: Floats, now: Floats) -> tuple[Floats, Where]:
    """The flow to where a texture fetched the same before, and where there is such a place."""
    flow = now - before
    for _ in range(ITERATIONS):
        flow = now - fetched(before, grid + flow)
    error = flow + fetched(before, grid + flow) - now
    return flow, np.asarray(np.abs(error).max(axis=-1) < EXACT_PIXELS)


def _through(
    grid: Floats, flow: Floats, exact: Where, before: Floats, now: Floats
) -> tuple[Floats, Where]:
    """A flow of the scene as the camera sees it, with views from frames to the scene."""
    scene = cv2.transform(grid, now)
    moved = scene + fetched(flow, scene)
    back = cv2.invertAffineTransform(before).astype(np.float32)
    seen = fetched(exact.astype(np.float32), scene) > 1 - SOFT
    return np.asarray(cv2.transform(moved, back) - grid, np.float32), seen


def _pair(grid: Floats, backward: Floats, exact: Where) -> FlowPair:
    forward = -backward
    for _ in range(ITERATIONS):
        forward = -fetched(backward, grid + forward)
    at = grid + forward
    error = np.linalg.norm(forward + fetched(backward, at), axis=-1)
    h, w = error.shape
    outside = (
        (at[..., 0] < -0.5) | (at[..., 1] < -0.5) | (at[..., 0] > w - 0.5) | (at[..., 1] > h - 0.5)
    )
    forward_exact = (fetched(exact.astype(np.float32), at) > 1 - SOFT) & (error < EXACT_PIXELS)
    return FlowPair(forward, backward, (error > AGREE_PIXELS) | outside, forward_exact, exact)


def export(
    pairs: Iterator[FlowPair],
    count: int,
    folder: File,
    parts: tuple[str, ...],
    progress: Progress = no_progress,
) -> None:
    """Write ``parts`` of the flows of ``count`` frames into ``folder``, which is there.

    "flow" (.flo) or "flow:FORMAT" gives ``forward_NNNNN`` and ``backward_NNNNN`` (.flo, KITTI
    16-bit .png or .npz); "occlusion" gives ``occlusion_NNNNN.png``, "mask" also
    ``moving_NNNNN.png``. Where the flow is exact say KITTI and npz themselves (there what is
    occluded counts as not valid, too); beside .flo, which has no place for it, lie
    ``forward_exact_NNNNN.png`` and ``backward_exact_NNNNN.png``.
    """
    asked = [part.partition(":") for part in parts]
    formats = [kind or FLOW_FORMATS[0] for name, _, kind in asked if name == "flow"]
    for index, pair in enumerate(pairs):
        for name in formats:
            _write_pair(folder, index, pair, name)
        if "mask" in parts:
            moving = np.linalg.norm(pair.forward, axis=-1) > MOVING_PIXELS
            _write_mask(folder / f"moving_{index:05d}.png", moving)
        if "mask" in parts or "occlusion" in parts:
            _write_mask(folder / f"occlusion_{index:05d}.png", pair.occluded)
        progress("exporting", (index + 1) / max(1, count - 1))


BYTES_A_PIXEL = {"flow": 16.0, "flow:flo": 16.0, "flow:kitti": 4.0, "flow:npz": 3.0, "mask": 0.05}
"""Of both directions, roughly; ``.flo`` is not compressed, the others depend on the motion."""


def export_bytes(video: VideoSpec, parts: tuple[str, ...]) -> float:
    """About how much `export` will write."""
    pixels = video.width * video.height * max(0, video.count - 1)
    return pixels * sum(BYTES_A_PIXEL.get(part, 0.0) for part in parts)


def _write_pair(folder: File, index: int, pair: FlowPair, flow_format: str) -> None:
    everywhere = np.ones_like(pair.occluded)
    ways: dict[str, tuple[Floats, Where, Where]] = {
        "forward": (pair.forward, pair.forward_exact, ~pair.occluded),
        "backward": (pair.backward, pair.backward_exact, everywhere),
    }
    for name, (flow, exact, seen) in ways.items():
        _write_flow(folder / f"{name}_{index:05d}", flow, exact & seen, flow_format)
        if flow_format == "flo":
            _write_mask(folder / f"{name}_exact_{index:05d}.png", exact)


def _write_mask(path: File, mask: Where) -> None:
    cv2.imwrite(str(path), mask.astype(np.uint8) * 255)


def _write_flow(stem: File, flow: Floats, valid: Where, flow_format: str) -> None:
    if flow_format == "flo":
        write_flo(stem.with_suffix(".flo"), flow)
    elif flow_format == "kitti":
        write_kitti(stem.with_suffix(".png"), flow, valid)
    else:
        np.savez_compressed(stem.with_suffix(".npz"), flow=flow.astype(np.float16), valid=valid)


def write_flo(path: File, flow: Floats) -> None:
    """Middlebury .flo: tag 202021.25, width, height, then x and y interleaved, float32."""
    height, width = flow.shape[:2]
    header = struct.pack("<fii", 202021.25, width, height)
    path.write_bytes(header + np.ascontiguousarray(flow, "<f4").tobytes())


def write_kitti(path: File, flow: Floats, valid: Where) -> None:
    """KITTI 2015 flow: 16-bit PNG, 64 * flow + 2^15 in red and green, validity in blue."""
    coded = np.clip(flow * 64 + 32768.5, 0, 65535).astype(np.uint16)
    picture = np.dstack([valid.astype(np.uint16), coded[..., 1], coded[..., 0]])
    cv2.imwrite(str(path), picture)
