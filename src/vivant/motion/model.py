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
"""Cells slower than this share of the picture's fast ones are held: no jelly on the ground."""
BODY_SHARE = 0.3
"""A body covers at most this share of the picture."""
RIGID = (0.64, 0.88)
"""Chance of being a man-made rigid thing from which cells begin to be held."""


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
        travels = np.maximum(_fluid(seen), drawn)
        field = MotionField(
            velocity=_calibrate(_on_the_spot(velocity, travels), motion_map),
            light=light * np.float32(self.networks.options.light),
            map=motion_map,
            still=_still(seen, guidance),
            about={"model": self.identity.name, "seed": str(request.seed)},
        )
        field = operations.resample(field, grid=grid)
        fluid = cv2.resize(_fluid(seen), grid[::-1], interpolation=cv2.INTER_LINEAR)
        return apply_controls(field, guidance_for(request, grid), request, fluid)


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
    fluid = _fluid(seen)
    limit = SWAY_SPEED + (TOP_SPEED - SWAY_SPEED) * fluid
    steered = np.minimum(seen.speed * seen.moving**0.5, limit)
    seeable = steered[seen.texture > 0.4]
    top = max(float(np.percentile(seeable if seeable.size > 50 else steered, 95)), 1e-6)
    steered = np.minimum(steered, 1.5 * top)
    steered = steered * smoothstep(*HOLD, steered / top)
    if guidance.move is not None:
        typical = max(float(np.percentile(steered, 90)), 0.03)
        asked = np.maximum(steered, 0.7 * typical)
        steered = guidance.move * asked
    drawn = np.linalg.norm(guidance.hint_velocity, axis=0)
    steered = np.maximum(steered, drawn * guidance.hint_mask)
    return (steered * (1 - guidance.still)).astype(np.float32)


def _fluid(seen: Seen) -> Floats:
    return smoothstep(*FLUID, seen.fluid) * (1 - smoothstep(*RIGID, seen.rigid))


def _still(seen: Seen, guidance: Guidance) -> Floats:
    """How sure it is that a cell holds: nothing moves there, or it is rigid; what a user drew
    on moves all the same."""
    rigid = smoothstep(*RIGID, seen.rigid)
    held = np.maximum(1 - seen.moving, rigid) * (1 - guidance.hint_mask)
    if guidance.move is not None:
        held = held * (1 - guidance.move)
    return np.maximum(held, guidance.still).astype(np.float32)


def _on_the_spot(velocity: Floats, travels: Floats) -> Floats:
    """Take the drift out of what is not fluid.

    An Eulerian field cannot carry an object away without smearing it, so objects, plants and
    animals move about their place; water, clouds and smoke travel.
    """
    return velocity - velocity.mean(axis=0) * (1 - travels)


def _calibrate(velocity: Floats, motion_map: Floats) -> Floats:
    """Scale a sample so that its mean speed, weighted by the map, is the map's own."""
    speed = np.linalg.norm(velocity, axis=1).mean(axis=0)
    asked, got = float((motion_map**2).sum()), float((speed * motion_map).sum())
    factor = np.clip(asked / max(got, 1e-9), 0.25, 4.0)
    return (velocity * factor).astype(np.float32)


def apply_controls(
    field: MotionField, guidance: Guidance, request: Request, fluid: Floats | None = None
) -> MotionField:
    """What was drawn, held and asked for, enforced on the sampled field.

    ``fluid`` ``[h, w]`` 0..1, where it is known, tells which drawn things are bodies.
    """
    if guidance.hint_mask.any():
        field = _draw(field, guidance)
    if guidance.move is not None:
        field = operations.mask(field, guidance.move)
        if fluid is not None:
            field = _cut_out(field, guidance, guidance.move, fluid)
    if guidance.still.any():
        field = operations.freeze(field, guidance.still)
    if request.strength != 1:
        field = operations.scale(field, request.strength)
    if request.loop:
        field = operations.periodic(field, request.spec.seconds)
    return field


def _cut_out(field: MotionField, guidance: Guidance, move: Floats, fluid: Floats) -> MotionField:
    """Mark as a body what a move mask outlines and a stroke drives, if it is compact and no
    fluid: it leaves its place whole, at the stroke's mean velocity."""
    count, labels = cv2.connectedComponents((move > 0.5).astype(np.uint8))
    body = np.zeros(field.grid, np.float32)
    velocity = field.velocity.copy()
    for label in range(1, count):
        inside = labels == label
        driven = inside & (guidance.hint_mask > 0)
        if inside.mean() > BODY_SHARE or not driven.any() or fluid[inside].mean() > 0.5:
            continue
        around = cv2.dilate(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        body = np.maximum(body, np.where(around, move, np.float32(0)))
        velocity[:, :, around] = guidance.hint_velocity[:, driven].mean(axis=1)[None, :, None]
    if not body.any():
        return field
    return replace(field, velocity=velocity, body=body.astype(np.float32))


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
