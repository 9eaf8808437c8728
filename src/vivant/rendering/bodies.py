"""Bodies: things that leave their place whole, and what they uncover.

An inverse warp cannot move a discrete thing: its trailing edge drags the ground along and a
copy stays behind. Cells that the field marks as ``body`` are therefore cut out with a soft
matte (the guided filter as a matting step; He, Sun and Tang, ECCV 2010), carried along the
body's path without any deformation but its size, and laid over a plate in which the hole they leave
is filled with texture from beside it. What matte and fill get wrong at the body's rim is put back
as long as the body is at its place, so that a body at rest changes nothing and one that sets off
does not jump.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, VideoSpec
from vivant.field.motion_field import MotionField
from vivant.field.operations import smoothstep, velocity_at
from vivant.rendering.camera import ease
from vivant.rendering.disc import disc
from vivant.rendering.guided import guided_filter
from vivant.rendering.parameters import RENDERING, Rendering
from vivant.rendering.space.inpaint import behind


@dataclass(frozen=True)
class Body:
    """``matte`` ``[H, W]`` 0..1 in the first frame; ``path`` ``[count, 2]`` where it is in
    each frame, in frame pixels (x, y) from where it began; ``size`` ``[count]`` how large it is
    there, about its ``foot`` (x, y), None = as it began."""

    matte: Floats
    path: Floats
    size: Floats | None = None
    foot: tuple[float, float] = (0.0, 0.0)

    def placed(self, index: int) -> Floats:
        """From where its pixels begin to where they are in a frame, affine ``[2, 3]``."""
        scale = 1.0 if self.size is None else float(self.size[index])
        (x, y), (u, v) = self.path[index], self.foot
        return np.array(
            [[scale, 0, x + u * (1 - scale)], [0, scale, y + v * (1 - scale)]], np.float32
        )


@dataclass(frozen=True)
class Rim:
    """What cutting a body out and laying it back in its place takes from the picture: ``lost``
    ``[h, w, 3]`` int16 levels in the rectangle ``at``."""

    lost: NDArray[np.int16]
    at: tuple[slice, slice]


def ground_of(field: MotionField) -> MotionField:
    """The field of everything that is no body."""
    if field.body is None:
        return field
    ground = (field.body <= 0).astype(np.float32)
    return replace(field, velocity=field.velocity * ground, body=None)


def find_bodies(
    field: MotionField,
    pixels: Frame,
    spec: VideoSpec,
    loop: bool,
    rendering: Rendering = RENDERING,
) -> list[Body]:
    """One body for each connected region of ``field.body`` that ever leaves its place."""
    if field.body is None:
        return []
    count, labels = cv2.connectedComponents((field.body > 0.5).astype(np.uint8))
    found = []
    for label in range(1, count):
        cells = (field.body * (labels == label)).astype(np.float32)
        around = cv2.dilate((labels == label).astype(np.uint8), np.ones((3, 3), np.uint8))
        path = _path(field, cells, spec, loop)
        if path.any():
            found.append(Body(_matte(field.body * around, pixels, rendering), path))
    return found


def _matte(cells: Floats, pixels: Frame, rendering: Rendering) -> Floats:
    height, width = pixels.shape[:2]
    scale = min(1.0, rendering.matte_short / min(width, height))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    coarse = cv2.resize(cells, size, interpolation=cv2.INTER_LINEAR)
    guide = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    radius = max(2, round(min(size) / 64))
    soft = guided_filter(guide, coarse, radius, rendering.matte_epsilon)
    low, high = rendering.matte_edges
    soft = np.clip((soft - low) / (high - low), 0, 1).astype(np.float32)
    # nothing beyond the cells that were marked, whatever its colour
    soft *= cv2.dilate((coarse > rendering.gone).astype(np.float32), np.ones((radius, radius)))
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


def plate(pixels: Frame, bodies: list[Body], rendering: Rendering = RENDERING) -> Frame:
    """The picture without its bodies: their places filled with texture from beside them, the rest
    untouched."""
    if not bodies:
        return pixels
    matte = np.maximum.reduce([body.matte for body in bodies])
    short = min(matte.shape)
    hole = cv2.dilate(
        (matte > rendering.gone).astype(np.uint8), disc(max(2.0, rendering.around * short))
    )
    known = hole == 0
    if not known.any():
        return pixels
    filled = behind(pixels, known, ~known, short)
    share = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 1.0)
    share = np.maximum(share, np.minimum(matte / rendering.gone, 1))[..., None]
    return np.asarray(pixels + share * (filled.astype(np.float32) - pixels) + 0.5, np.uint8)


def shifted_matte(body: Body, index: int) -> Floats:
    """Where the body is in frame ``index``, ``[H, W]`` 0..1."""
    height, width = body.matte.shape
    out = cv2.warpAffine(body.matte, body.placed(index), (width, height))
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
        body.placed(index),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    share = matte[at][..., None]
    frame[at] = frame[at] + share * (moved[at].astype(np.float32) - frame[at]) + 0.5
    return frame


def rims(pixels: Frame, ground: Frame, bodies: list[Body]) -> list[Rim]:
    """One rim for each body laid back onto its plate ``ground``."""
    again = ground.copy()
    for body in bodies:
        again = lay(again, pixels, body, 0)
    lost = cv2.subtract(pixels, again, dtype=cv2.CV_16S)
    found = []
    for body in bodies:
        wide = max(3, min(pixels.shape[:2]) // 32) | 1
        around = cv2.dilate((body.matte > 0).astype(np.uint8), np.ones((wide, wide), np.uint8))
        inside = np.flatnonzero(around.any(axis=1)), np.flatnonzero(around.any(axis=0))
        rows, columns = (slice(int(i[0]), int(i[-1]) + 1) for i in inside)
        own = lost[rows, columns].copy()
        lost[rows, columns] = 0
        found.append(Rim(own, (rows, columns)))
    return found


def put_back(
    frame: Frame, rim: Rim, body: Body, index: int, rendering: Rendering = RENDERING
) -> Frame:
    """``frame`` with the rim, the less the farther the body has gone."""
    gone = np.float32(np.linalg.norm(body.path[index]) / min(frame.shape[:2]))
    stays = 1 - float(smoothstep(0.0, rendering.leave, np.asarray(gone)))
    if stays > 0:
        lost = cv2.multiply(rim.lost, np.full_like(rim.lost, 1), scale=stays)
        frame[rim.at] = cv2.add(frame[rim.at], lost, dtype=cv2.CV_8U)
    return frame
