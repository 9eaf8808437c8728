"""One clip as it is performed: a picture, the motion of its layers, bodies and the camera."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from vivant.clip import Frame, Plane
from vivant.controls.camera import Camera
from vivant.controls.fov import needs_depth
from vivant.field.motion_field import MotionField, grid_for, still_field
from vivant.media.resize import fit_plane
from vivant.motion.apply import apply_controls, guidance_for
from vivant.motion.depth import plane
from vivant.motion.flowing import field_of
from vivant.motion.held import FLOWING, Looked, cells
from vivant.motion.layered import Motion
from vivant.motion.lighting import surfaces_of
from vivant.motion.relief import relief_in
from vivant.motion.stage import staged
from vivant.motion.steering import Steering
from vivant.motion.travel import travellers
from vivant.rendering.bodies import Body, find_bodies
from vivant.rendering.exports import FlowPair, stage_flows
from vivant.rendering.illumination import Illumination
from vivant.rendering.layers import Stage
from vivant.rendering.parameters import Rendering
from vivant.rendering.play import play
from vivant.rendering.renderer import Held
from vivant.rendering.shot import Shot
from vivant.rendering.space.given import relief_from
from vivant.rendering.space.path import path_of
from vivant.rendering.space.pose import Path
from vivant.rendering.space.relief import Relief
from vivant.rendering.space.view import viewed_along

HOLDS = "holds"
"""Member of a field's ``about`` that says that it was made with a scene, whose kinds hold."""


@dataclass(frozen=True, eq=False)
class Performance:
    """``looked`` is None where nothing moves; ``things`` a field whose bodies travel, None where
    there are none; ``name`` is the model's."""

    shot: Shot
    looked: Looked | None
    motion: Motion
    things: MotionField | None
    rendering: Rendering
    name: str

    @property
    def held(self) -> Held | None:
        """Pixels that never change, whatever moves there, ``[H, W]``."""
        drawn = self.shot.controls
        still = drawn.still
        if drawn.move is not None:
            outside = np.asarray(255 - drawn.move, np.uint8)
            if drawn.things is not None:
                outside = np.minimum(outside, 255 - drawn.things)
            still = outside if still is None else np.maximum(still, outside)
        return None if still is None else np.asarray(still > 127)

    def frames(self) -> Iterator[Frame]:
        """The frames ``[H, W, 3]``, made anew at each call."""
        space = self.space()
        if space is None:
            return self._played(self.shot.controls.camera)
        return viewed_along(self.shot.picture.pixels, self._played(Camera()), *space)

    def space(self) -> tuple[Relief, Path] | None:
        """The picture's relief and the camera's path through it; None where the camera does not go
        through depth."""
        shot, camera = self.shot, self.shot.controls.camera
        drawn = shot.controls
        relief = self.relief if needs_depth(camera, drawn.paths) or camera.zoom else None
        if relief is None:
            return None
        path = path_of(
            camera, shot.spec, shot.loop, relief, shot.seed, paths=drawn.paths, view=drawn.view
        )
        return relief, path

    @cached_property
    def relief(self) -> Relief | None:
        """The picture in relief, at the size of the frames; None where nothing is looked at."""
        if self.looked is None:
            return None
        picture, given = self.shot.picture, self.motion.depth
        if given is not None:
            return relief_from(plane(given, picture.size))
        return relief_in(self.looked, picture.pixels)

    def _light(self) -> Callable[[Frame, float], Frame] | None:
        """What the light makes of a frame; None where it does not change."""
        shot, lights = self.shot, self.shot.controls.lights
        relief = self.relief if lights else None
        if self.looked is None or relief is None:
            return None
        view = shot.controls.view
        surfaces = surfaces_of(shot.picture.pixels, self.looked, relief, self.held, view)
        light = Illumination(lights, shot.spec.seconds, shot.loop, shot.seed)
        return lambda frame, at: light.lit(frame, surfaces, at)

    def _played(self, camera: Camera) -> Iterator[Frame]:
        shot = self.shot
        return play(
            shot.photograph or shot.picture,
            shot.spec,
            self.stage,
            bodies=self.bodies,
            camera=camera,
            loop=shot.loop,
            held=self.held,
            light=self._light(),
            rendering=self.rendering,
            water=self._water(),
        )

    def _water(self) -> Plane | None:
        """Where things travel on water, at the size of the frames."""
        if self.looked is None or self.things is None:
            return None
        water = fit_plane(self.looked.mattes.of("water"), self.shot.picture.size)
        return water if water.any() else None

    def bodies(self, pixels: Frame) -> list[Body]:
        """What travels on a picture ``[H, W, 3]``: things that are seen, along their strokes; what
        a mask outlines, as the field of things says."""
        if self.looked is None or self.things is None:
            return []
        shot = self.shot
        own = travellers(shot, self.looked, pixels)
        if shot.controls.move is None:
            return own
        taken = [body.matte > 0.5 for body in own]
        outlined = find_bodies(self.things, pixels, shot.spec, shot.loop, self.rendering)
        return [b for b in outlined if not any((b.matte > 0.5)[t].any() for t in taken)] + own

    def stage(self, pixels: Frame) -> Stage:
        """The layers on a picture ``[H, W, 3]`` of the size of the frames."""
        if self.looked is None:
            return Stage(pixels, (), None)
        held = self.held
        plane = None if held is None else np.where(held, np.uint8(255), np.uint8(0))
        loop = self.shot.spec.seconds if self.shot.loop else None
        return staged(pixels, self.motion, self.looked, held=plane, loop=loop)

    def field(self) -> MotionField:
        """How fast what is seen moves, without the camera."""
        shot = self.shot
        grid = grid_for(*shot.picture.size)
        if self.looked is None:
            return still_field(*grid)
        about = {"model": self.name, **self.motion.about, HOLDS: "kinds"}
        made = field_of(self.stage(shot.picture.pixels), shot.spec.seconds, shot.loop, about)
        return made if self.things is None else _with_things(made, self.things)

    def flows(self) -> Iterator[FlowPair]:
        """Ground truth between consecutive frames."""
        bodies = self.bodies(self.shot.picture.pixels)
        return stage_flows(self.shot, self.stage, bodies, self.held, self.space())


def things_of(shot: Shot, looked: Looked | None, steering: Steering) -> MotionField | None:
    """The bodies that strokes drive; None where there are none."""
    drawn = shot.controls
    if looked is None or not drawn.strokes or (drawn.things is None and drawn.move is None):
        return None
    grid = grid_for(*shot.picture.size)
    guidance = guidance_for(shot, grid)
    fluid = cells(looked.scene, FLOWING, grid)
    steps = max(1, round(shot.spec.seconds * 8))
    still = still_field(*grid, steps=min(steps, 64))
    field = apply_controls(still, guidance, shot, fluid, steering=steering)
    return None if field.body is None else field


def _with_things(field: MotionField, things: MotionField) -> MotionField:
    """A field in which bodies move as they are driven."""
    if things.body is None:
        return field
    own = things.body > 0
    drive = things.velocity.mean(axis=0)
    velocity = np.where(own, drive[None], field.velocity)
    return replace(field, velocity=velocity.astype(np.float32), body=things.body)
