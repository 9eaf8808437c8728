"""Picture and motion field to frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Picture, Plane, VideoSpec
from vivant.controls.camera import Camera
from vivant.field.motion_field import MotionField
from vivant.field.operations import light_at
from vivant.render.advect import Layers, grid_of, layers
from vivant.render.blend import mix
from vivant.render.bodies import Body, find_bodies, ground_of, lay, plate
from vivant.render.camera import ease, view
from vivant.render.light import apply_light, has_light
from vivant.render.work import WorkMotion, to_work

LEAST_SHIFT = 0.02
"""Displacements under this many work pixels are not worth a remap."""


@dataclass(frozen=True)
class Box:
    """A rectangle of the frame and the part of the work grid over it."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the rectangle in an image."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


def render(
    picture: Picture,
    field: MotionField,
    spec: VideoSpec,
    *,
    camera: Camera = Camera(),  # noqa: B008 - frozen
    loop: bool = False,
    still: Plane | None = None,
) -> Iterator[Frame]:
    """Yield ``spec.count`` frames ``[spec.height, spec.width, 3]``; frame 0 is the picture.

    ``still`` ``[H, W]`` (255 = applies) marks pixels that never change while the camera
    stands still; under a moving camera they move with the view. Raises ValueError where the
    picture or the mask has another size than the frames.
    """
    if picture.size != (spec.width, spec.height):
        raise ValueError(f"the picture is {picture.size}, the frames {spec.width}x{spec.height}")
    if still is not None and still.shape != picture.pixels.shape[:2]:
        raise ValueError("the still mask must have the picture's size")
    bodies = find_bodies(field, picture.pixels, spec, loop)
    motion = to_work(ground_of(field), picture.pixels)
    held = None if still is None else still > 127
    lit = has_light(field)
    warp = _Warp.of(plate(picture.pixels, bodies), motion)
    for index, parts in enumerate(layers(motion, spec.count, spec.fps, loop)):
        if index == 0:
            yield picture.pixels.copy()
            continue
        affine = None
        if camera.moves:
            affine = view(camera, ease(index / spec.count, loop), spec.width, spec.height)
        if bodies:
            frame = _with_bodies(warp.frame(parts, None, None), picture.pixels, bodies, index)
            frame = _seen(frame, picture.pixels, affine, held)
        else:
            frame = warp.frame(parts, affine, held)
        if lit:
            frame = _lit(frame, light_at(field, index / spec.fps), held)
        yield frame


def _with_bodies(ground: Frame, pixels: Frame, bodies: list[Body], index: int) -> Frame:
    for body in bodies:
        ground = lay(ground, pixels, body, index)
    return ground


def _seen(
    frame: Frame, pixels: Frame, affine: Floats | None, held: NDArray[np.bool_] | None
) -> Frame:
    """What is held put back, then the camera's view of the whole."""
    if held is not None:
        np.copyto(frame, pixels, where=held[..., None])
    if affine is None:
        return frame
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    size = (frame.shape[1], frame.shape[0])
    out = cv2.warpAffine(frame, affine, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(out, np.uint8)


def _lit(frame: Frame, stops: Floats, held: NDArray[np.bool_] | None) -> Frame:
    out = apply_light(frame, stops)
    if held is not None:
        np.copyto(out, frame, where=held[..., None])
    return out


@dataclass(frozen=True)
class _Warp:
    """The picture with what is needed to warp it: pixel grid, moving rectangle, scales."""

    pixels: Frame
    grid: Floats
    box: Box | None
    ratio: tuple[float, float]

    @staticmethod
    def of(pixels: Frame, motion: WorkMotion) -> _Warp:
        height, width = pixels.shape[:2]
        ww, hw = motion.size
        ratio = (width / ww, height / hw)
        return _Warp(pixels, grid_of((width, height)), _moving_box(motion, width, height), ratio)

    def frame(self, parts: Layers, affine: Floats | None, held: NDArray[np.bool_] | None) -> Frame:
        """One frame: both layers warped and mixed."""
        if affine is not None:
            return self._viewed(parts, affine, held)
        out = self.pixels.copy()
        if self.box is None:
            return out
        at = self.box.slices
        first = self._warped(parts.now, at)
        if parts.share > 0 and _differ(parts):
            first = mix(first, self._warped(parts.later, at), parts.share, self._apart(parts))
        out[at] = first
        if held is not None:
            np.copyto(out, self.pixels, where=held[..., None])
        return out

    def _apart(self, parts: Layers) -> Floats:
        """Where in the box the two layers show different places, 0 or 1."""
        across, down = cv2.split(cv2.absdiff(parts.now, parts.later))
        apart = (np.maximum(across, down) > 0.5).astype(np.float32)
        box = self.box
        if box is None:
            return apart
        (sx, sy) = self.ratio
        rows = slice(int(box.top / sy), max(int(box.bottom / sy), int(box.top / sy) + 1))
        columns = slice(int(box.left / sx), max(int(box.right / sx), int(box.left / sx) + 1))
        return apart[rows, columns]

    def _warped(self, displacement: Floats, at: tuple[slice, slice]) -> Frame:
        shift = self._full(displacement)[at]
        source = cv2.add(self.grid[at], shift)
        return self._fetch(source)

    def _viewed(self, parts: Layers, affine: Floats, held: NDArray[np.bool_] | None) -> Frame:
        """Motion and camera in one remap per layer."""
        place = cv2.transform(self.grid, affine)
        shown = [parts.now, parts.later] if parts.share > 0 and _differ(parts) else [parts.now]
        images = []
        for displacement in shown:
            full = self._full(displacement)
            if held is not None:
                full = np.where(held[..., None], np.float32(0), full)
            shift = cv2.remap(full, place, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            images.append(self._fetch(cv2.add(place, shift)))
        return images[0] if len(images) == 1 else mix(images[0], images[1], parts.share)

    def _full(self, displacement: Floats) -> Floats:
        """Displacement in frame pixels ``[H, W, 2]``."""
        scaled = displacement * np.array(self.ratio, np.float32)
        size = self.pixels.shape[1::-1]
        return np.asarray(cv2.resize(scaled, size, interpolation=cv2.INTER_LINEAR), np.float32)

    def _fetch(self, source: Floats) -> Frame:
        out = cv2.remap(
            self.pixels,
            source,
            None,
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        return np.asarray(out, np.uint8)


def _differ(parts: Layers) -> bool:
    return bool(cv2.norm(parts.now, parts.later, cv2.NORM_INF) > LEAST_SHIFT)


def _moving_box(motion: WorkMotion, width: int, height: int) -> Box | None:
    """The rectangle outside which nothing ever moves, None where nothing moves at all."""
    ww, hw = motion.size
    moves = np.abs(motion.velocity).max(axis=(0, 3)) > 0
    if not moves.any():
        return None
    rows, columns = np.flatnonzero(moves.any(axis=1)), np.flatnonzero(moves.any(axis=0))
    sx, sy = width / ww, height / hw
    return Box(
        top=max(0, int((rows[0] - 1) * sy)),
        bottom=min(height, int((rows[-1] + 2) * sy) + 1),
        left=max(0, int((columns[0] - 1) * sx)),
        right=min(width, int((columns[-1] + 2) * sx) + 1),
    )
