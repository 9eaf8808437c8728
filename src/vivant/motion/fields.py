"""Motion fields: sampled by the networks, or given, and made to obey what was drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vivant.clip import Floats
from vivant.field import operations
from vivant.field.motion_field import MotionField, grid_for, still_field
from vivant.field.operations import Looping
from vivant.motion.apply import apply_controls, guidance_for
from vivant.motion.held import enriched, scene_of
from vivant.motion.performance import HOLDS
from vivant.motion.sampler import Conditions, Networks, Seen, sample, see
from vivant.motion.steer import (
    calibrate,
    fluid_share,
    on_the_spot,
    plain_map,
    steer_map,
    stiffen,
    stillness,
)
from vivant.motion.steering import Steering
from vivant.rendering.shot import Shot
from vivant.request import Hooks, Runtime


@dataclass(frozen=True)
class Fields:
    """What the networks of a bundle make of a picture as a field of velocities.

    Clips are made of layers (`vivant.motion.choose`); these fields are what is measured against
    them, and what a field file that is given must obey.
    """

    name: str
    networks: Networks
    steering: Steering
    looping: Looping
    runtime: Runtime

    def sample(self, shot: Shot, hooks: Hooks = Hooks()) -> MotionField:  # noqa: B008
        """The motion field as rendered: rigid and solid things kept in place, masks, strokes,
        strength and loop applied."""
        width, height = shot.picture.size
        grid = grid_for(width, height)
        if shot.strength == 0:
            return still_field(*grid)
        seen = self._seen(shot)
        coarse = seen.speed.shape
        guidance = guidance_for(shot, (coarse[0], coarse[1]))
        steering = self.steering
        motion_map = steer_map(seen, guidance, steering)
        conditions = Conditions(motion_map, guidance.hint_velocity, guidance.hint_mask)
        field = self._sampled(seen, conditions, shot.seed, hooks)
        drawn = np.maximum(guidance.hint_mask, 0 if guidance.move is None else guidance.move)
        fluid = fluid_share(seen, steering)
        travels = np.maximum(fluid, drawn)
        settled = stiffen(on_the_spot(field.velocity, travels), travels, motion_map, steering)
        velocity = calibrate(settled, motion_map, steering)
        still = stillness(seen, guidance, steering)
        field = operations.resample(replace(field, velocity=velocity, still=still), grid=grid)
        wide = cv2.resize(fluid, grid[::-1], interpolation=cv2.INTER_LINEAR)
        return self.obeying(field, shot, wide)

    def obeying(self, field: MotionField, shot: Shot, fluid: Floats | None = None) -> MotionField:
        """A field with everything drawn on the shot enforced."""
        guidance = guidance_for(shot, field.grid)
        return apply_controls(
            field, guidance, shot, fluid, steering=self.steering, looping=self.looping
        )

    def predict(self, shot: Shot) -> MotionField:
        """What the networks alone expect to happen in the picture, solid things driving off
        and all; nothing that was drawn is looked at. For measurement."""
        seen = self._seen(shot)
        motion_map = plain_map(seen, self.steering)
        none = np.zeros((2, *motion_map.shape), np.float32)
        field = self._sampled(seen, Conditions(motion_map, none, none[0]), shot.seed, Hooks())
        field = replace(field, velocity=calibrate(field.velocity, motion_map, self.steering))
        return operations.resample(field, grid=grid_for(*shot.picture.size))

    def _seen(self, shot: Shot) -> Seen:
        scene = scene_of(shot.photograph or shot.picture, self.runtime)
        return enriched(see(self.networks, shot.picture.pixels), scene)

    def _sampled(self, seen: Seen, conditions: Conditions, seed: int, hooks: Hooks) -> MotionField:
        velocity, light = sample(self.networks, seen, conditions, seed, hooks.report)
        return MotionField(
            velocity=velocity,
            light=light * np.float32(self.networks.options.light),
            map=conditions.motion_map,
            still=(1 - seen.moving).astype(np.float32),
            about={"model": self.name, "seed": str(seed), HOLDS: "kinds"},
        )
