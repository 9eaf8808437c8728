"""The built-in family: a picture's motion is sampled, then rendered."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vivant.bundle import Bundle
from vivant.clip import Floats
from vivant.controls.raster import Guidance, rasterise
from vivant.field import operations
from vivant.field.motion_field import MotionField, grid_for, still_field
from vivant.motion.sampler import Conditions, Networks, Seen, open_networks, sample, see
from vivant.render.guided import smoothstep
from vivant.render.renderer import render
from vivant.request import ModelIdentity, Progress, Request, Result, no_progress

TOP_SPEED = 1.0
"""Cells are never asked to move faster, short sides per second."""
SWAY_SPEED = 0.04
"""What is not fluid sways on the spot, at most this fast: a leaf, not a departing car."""
FLUID = (0.35, 0.65)
HOLD = (0.06, 0.2)
"""Cells slower than this share of the picture's fast ones are held: no jelly on buildings."""


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
        """The motion field as rendered: masks, strokes, strength and loop applied."""
        width, height = request.picture.size
        grid = grid_for(width, height)
        if request.strength == 0:
            return still_field(*grid)
        seen = see(self.networks, request.picture.pixels)
        coarse = seen.speed.shape
        guidance = guidance_for(request, (coarse[0], coarse[1]))
        motion_map = steer_map(seen, guidance)
        conditions = Conditions(motion_map, guidance.hint_velocity, guidance.hint_mask)
        velocity, light = sample(self.networks, seen, conditions, request.seed, progress)
        drawn = np.maximum(guidance.hint_mask, 0 if guidance.move is None else guidance.move)
        fluid = np.maximum(smoothstep(*FLUID, seen.fluid), drawn)
        field = MotionField(
            velocity=_calibrate(_on_the_spot(velocity, fluid), motion_map),
            light=light * np.float32(self.networks.options.light),
            map=motion_map,
            still=np.maximum(1 - seen.moving, guidance.still).astype(np.float32),
            about={"model": self.identity.name, "seed": str(request.seed)},
        )
        field = operations.resample(field, grid=grid)
        return apply_controls(field, guidance_for(request, grid), request)


def guidance_for(request: Request, grid: tuple[int, int]) -> Guidance:
    """The request's controls on a cell grid."""
    width, height = request.picture.size
    return rasterise(request.controls, grid, width / height, request.spec.seconds)


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


def steer_map(seen: Seen, guidance: Guidance) -> Floats:
    """The motion map under which a sample is drawn, ``[h, w]``: the predicted speed, damped
    where cells hardly move at all, then as masks and strokes ask."""
    fluid = smoothstep(*FLUID, seen.fluid)
    limit = SWAY_SPEED + (TOP_SPEED - SWAY_SPEED) * fluid
    steered = np.minimum(seen.speed * seen.moving**0.5, limit)
    top = max(float(np.percentile(steered, 97)), 1e-6)
    steered = steered * smoothstep(*HOLD, steered / top)
    if guidance.move is not None:
        typical = max(float(np.percentile(steered, 90)), 0.03)
        asked = np.maximum(steered, 0.7 * typical)
        steered = guidance.move * asked
    drawn = np.linalg.norm(guidance.hint_velocity, axis=0)
    steered = np.maximum(steered, drawn * guidance.hint_mask)
    return (steered * (1 - guidance.still)).astype(np.float32)


def _on_the_spot(velocity: Floats, fluid: Floats) -> Floats:
    """Take the drift out of what is not fluid.

    An Eulerian field cannot carry an object away without smearing it, so objects, plants and
    animals move about their place; water, clouds and smoke travel.
    """
    return velocity - velocity.mean(axis=0) * (1 - fluid)


def _calibrate(velocity: Floats, motion_map: Floats) -> Floats:
    """Scale a sample so that its mean speed, weighted by the map, is the map's own."""
    speed = np.linalg.norm(velocity, axis=1).mean(axis=0)
    asked, got = float((motion_map**2).sum()), float((speed * motion_map).sum())
    factor = np.clip(asked / max(got, 1e-9), 0.25, 4.0)
    return (velocity * factor).astype(np.float32)


def apply_controls(field: MotionField, guidance: Guidance, request: Request) -> MotionField:
    """What was drawn, held and asked for, enforced on the sampled field."""
    if guidance.hint_mask.any():
        field = _draw(field, guidance)
    if guidance.move is not None:
        field = operations.mask(field, guidance.move)
    if guidance.still.any():
        field = operations.freeze(field, guidance.still)
    if request.strength != 1:
        field = operations.scale(field, request.strength)
    if request.loop:
        field = operations.periodic(field, request.spec.seconds)
    return field


def _draw(field: MotionField, guidance: Guidance) -> MotionField:
    """Blend the drawn velocity in around each stroke, keeping the sample's own rhythm outside."""
    h, w = field.grid
    soft = cv2.GaussianBlur(guidance.hint_mask, (0, 0), 1.2)
    soft = np.maximum(soft, guidance.hint_mask)
    spread = cv2.GaussianBlur(guidance.hint_mask, (0, 0), 2.0) + 1e-6
    drawn = np.stack(
        [
            cv2.GaussianBlur(v * guidance.hint_mask, (0, 0), 2.0) / spread
            for v in guidance.hint_velocity
        ]
    )
    velocity = field.velocity * (1 - soft) + drawn[None] * soft
    still = field.still * (1 - soft)
    speed = np.maximum(field.map, np.linalg.norm(drawn, axis=0).reshape(h, w) * soft)
    return replace(
        field,
        velocity=velocity.astype(np.float32),
        still=still.astype(np.float32),
        map=speed.astype(np.float32),
    )
