"""Picture and motion field to frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Picture, Plane, VideoSpec
from vivant.controls.camera import Camera
from vivant.field.motion_field import MotionField
from vivant.field.operations import light_at
from vivant.media.resize import fit_plane
from vivant.rendering.advect import Layers, layers
from vivant.rendering.bodies import find_bodies, ground_of
from vivant.rendering.camera import ease, sight, view
from vivant.rendering.light import apply_light, has_light
from vivant.rendering.parameters import RENDERING, Rendering
from vivant.rendering.source import Source
from vivant.rendering.upon import Travellers, viewed
from vivant.rendering.warp import Warp
from vivant.rendering.work import to_work

Held = NDArray[np.bool_]


def render(
    picture: Picture,
    field: MotionField,
    spec: VideoSpec,
    *,
    camera: Camera = Camera(),  # noqa: B008 - frozen
    loop: bool = False,
    still: Plane | None = None,
    rendering: Rendering = RENDERING,
) -> Iterator[Frame]:
    """Yield ``spec.count`` frames ``[spec.height, spec.width, 3]``; frame 0 is the picture, scaled
    and cut to the size of the frames (`vivant.media.resize.fit_plane`).

    A camera that closes in sees what detail the picture has beyond the frames. ``still``
    ``[H, W]`` (255 = applies), of the picture's or the frames' size, marks pixels that never
    change while the camera stands still; under a moving camera they move with the view. Raises
    ValueError for a mask of another size.
    """
    size = (spec.width, spec.height)
    held = None if still is None else held_of(still, picture, size)
    views = views_of(camera, spec, loop)
    sights = tuple(sight(affine, *size) for affine in views)
    source = Source(picture.pixels, size, sights)
    lit = has_light(field, rendering)
    scene = _Scene.of(source, field, spec, loop, held, rendering)
    for index, parts in enumerate(scene.layers(spec, loop)):
        if index == 0:
            yield source.fitted.copy()
            continue
        affine = views[index] if views else None
        frame = scene.frame(parts, index, affine)
        if lit:
            stops = light_at(field, index / spec.fps)
            frame = apply_light(frame, stops, affine=affine, held=held, rendering=rendering)
        yield frame


def held_of(still: Plane, picture: Picture, size: tuple[int, int]) -> Held:
    """A still mask at the size of the frames, True where it applies."""
    if still.shape[::-1] not in (picture.size, size):
        raise ValueError("the still mask must have the picture's or the frames' size")
    return np.asarray(fit_plane(still, size) > 127)


def views_of(camera: Camera, spec: VideoSpec, loop: bool) -> list[Floats]:
    """The view of every frame; none where the camera stands still."""
    if not camera.moves:
        return []
    ways = (ease(index / spec.count, loop) for index in range(spec.count))
    return [view(camera, way, spec.width, spec.height) for way in ways]


@dataclass(frozen=True)
class _Scene:
    """What is seen: the ground that moves in place, and bodies upon it."""

    source: Source
    ground: Warp
    travellers: Travellers
    rendering: Rendering

    @staticmethod
    def of(
        source: Source,
        field: MotionField,
        spec: VideoSpec,
        loop: bool,
        held: Held | None,
        rendering: Rendering,
    ) -> _Scene:
        pixels = source.fitted
        bodies = find_bodies(field, pixels, spec, loop, rendering)
        travellers = Travellers.of(pixels, bodies, held, rendering)
        motion = to_work(ground_of(field), pixels, rendering)
        below = source
        if travellers.bodies:
            below = Source(travellers.below, (spec.width, spec.height))
        return _Scene(source, Warp.of(below, motion, held, rendering), travellers, rendering)

    def layers(self, spec: VideoSpec, loop: bool) -> Iterator[Layers]:
        """What moves the ground, frame by frame."""
        return layers(self.ground.motion, spec.count, spec.fps, loop, self.rendering)

    def frame(self, parts: Layers, index: int, affine: Floats | None) -> Frame:
        """One frame before the light."""
        if not self.travellers.bodies:
            return self.ground.frame(parts, affine)
        frame = self.travellers.upon(self.ground.frame(parts, None), index)
        return frame if affine is None else viewed(frame, self.source, self.ground.grid, affine)
