"""The built-in family: a picture's motion is sampled, then rendered."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vivant.bundle import Bundle
from vivant.field import operations
from vivant.field.motion_field import MotionField, grid_for, still_field
from vivant.motion.apply import apply_controls, guidance_for
from vivant.motion.sampler import Conditions, Networks, Seen, open_networks, sample, see
from vivant.motion.steer import (
    calibrate,
    fluid_share,
    on_the_spot,
    plain_map,
    steer_map,
    stiffen,
    stillness,
)
from vivant.render.renderer import render
from vivant.request import ModelIdentity, Progress, Request, Result, no_progress


@dataclass(frozen=True)
class MotionModel:
    """A loaded bundle of the motion family."""

    bundle: Bundle
    networks: Networks

    @property
    def identity(self) -> ModelIdentity:
        """Name, version and hash of the weights."""
        return self.bundle.identity

    def generate(self, request: Request, progress: Progress = no_progress) -> Result:
        """Sample a motion field and render it.

        The request's picture must already have the size of the frames (the command line
        fits it); frames are rendered when they are asked for.
        """
        clock = time.monotonic()
        field = self.sample_field(request, progress)
        timings = {"sample": time.monotonic() - clock}
        return rendered(request, field, self.identity, timings)

    def sample_field(self, request: Request, progress: Progress = no_progress) -> MotionField:
        """The motion field as rendered: rigid and solid things kept in place, masks, strokes,
        strength and loop applied."""
        width, height = request.picture.size
        grid = grid_for(width, height)
        if request.strength == 0:
            return still_field(*grid)
        seen = see(self.networks, request.picture.pixels)
        coarse = seen.speed.shape
        guidance = guidance_for(request, (coarse[0], coarse[1]))
        motion_map = steer_map(seen, guidance)
        conditions = Conditions(motion_map, guidance.hint_velocity, guidance.hint_mask)
        field = self._sampled(seen, conditions, request.seed, progress)
        drawn = np.maximum(guidance.hint_mask, 0 if guidance.move is None else guidance.move)
        travels = np.maximum(fluid_share(seen), drawn)
        settled = stiffen(on_the_spot(field.velocity, travels), travels, motion_map)
        velocity = calibrate(settled, motion_map)
        field = replace(field, velocity=velocity, still=stillness(seen, guidance))
        fluid = cv2.resize(fluid_share(seen), grid[::-1], interpolation=cv2.INTER_LINEAR)
        field = operations.resample(field, grid=grid)
        return apply_controls(field, guidance_for(request, grid), request, fluid)

    def predict_field(self, request: Request, progress: Progress = no_progress) -> MotionField:
        """What the networks alone expect to happen in the picture, solid things driving off
        and all; the controls of the request are not looked at. For measurement."""
        seen = see(self.networks, request.picture.pixels)
        motion_map = plain_map(seen)
        none = np.zeros((2, *motion_map.shape), np.float32)
        field = self._sampled(seen, Conditions(motion_map, none, none[0]), request.seed, progress)
        field = replace(field, velocity=calibrate(field.velocity, motion_map))
        return operations.resample(field, grid=grid_for(*request.picture.size))

    def _sampled(
        self, seen: Seen, conditions: Conditions, seed: int, progress: Progress
    ) -> MotionField:
        velocity, light = sample(self.networks, seen, conditions, seed, progress)
        return MotionField(
            velocity=velocity,
            light=light * np.float32(self.networks.options.light),
            map=conditions.motion_map,
            still=(1 - seen.moving).astype(np.float32),
            about={"model": self.identity.name, "seed": str(seed)},
        )


def load(bundle: Bundle, threads: int = 0) -> MotionModel:
    """Open a bundle of the motion family."""
    return MotionModel(bundle, open_networks(bundle, threads))


def rendered(
    request: Request, field: MotionField, identity: ModelIdentity, timings: dict[str, float]
) -> Result:
    """The result that renders ``field`` for ``request`` whenever its frames are asked for."""
    controls = request.controls
    return Result(
        spec=request.spec,
        frames=lambda: render(
            request.picture,
            field,
            request.spec,
            camera=controls.camera,
            loop=request.loop,
            still=controls.still,
        ),
        model=identity,
        seed=request.seed,
        field=field,
        timings=timings,
    )
