"""From what is seen to what is asked of the sampler and the renderer.

The networks say how fast each cell would move; here what is rigid is held, what is solid is
kept in its place, and what the user drew wins.
"""

from __future__ import annotations

import numpy as np

from vivant.clip import Floats
from vivant.controls.raster import Guidance
from vivant.motion.sampler import Seen
from vivant.render.guided import smoothstep

TOP_SPEED = 1.0
"""Cells are never asked to move faster, short sides per second."""
SWAY_SPEED = 0.04
"""What is not fluid sways on the spot, at most this fast: a leaf, not a departing car."""
FLUID = (0.35, 0.65)
HOLD = (0.06, 0.2)
"""Cells slower than this share of the picture's fast ones are held: no jelly on the ground."""
RIGID = (0.64, 0.88)
"""Chance of being a man-made rigid thing from which cells begin to be held."""


def plain_map(seen: Seen) -> Floats:
    """The motion map as predicted: expected speed, less where it is doubtful that anything
    moves, ``[h, w]`` short sides per second."""
    return np.minimum(seen.speed * seen.moving**0.5, TOP_SPEED).astype(np.float32)


def steer_map(seen: Seen, guidance: Guidance) -> Floats:
    """The motion map under which a sample is drawn: the plain one, solid things slowed to a
    sway, cells that hardly move held, then as masks and strokes ask."""
    fluid = fluid_share(seen)
    limit = SWAY_SPEED + (TOP_SPEED - SWAY_SPEED) * fluid
    steered = np.minimum(plain_map(seen), limit)
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


def stillness(seen: Seen, guidance: Guidance) -> Floats:
    """How sure it is that a cell holds: nothing moves there, or it is rigid; what a user drew
    on moves all the same."""
    rigid = smoothstep(*RIGID, seen.rigid)
    held = np.maximum(1 - seen.moving, rigid) * (1 - guidance.hint_mask)
    if guidance.move is not None:
        held = held * (1 - guidance.move)
    return np.maximum(held, guidance.still).astype(np.float32)


def fluid_share(seen: Seen) -> Floats:
    """How far a cell may travel, 0..1: fluid, and no rigid thing."""
    return smoothstep(*FLUID, seen.fluid) * (1 - smoothstep(*RIGID, seen.rigid))


def on_the_spot(velocity: Floats, travels: Floats) -> Floats:
    """Take the drift out of what is not fluid.

    An Eulerian field cannot carry an object away without smearing it, so objects, plants and
    animals move about their place; water, clouds and smoke travel.
    """
    return velocity - velocity.mean(axis=0) * (1 - travels)


def calibrate(velocity: Floats, motion_map: Floats) -> Floats:
    """Scale a sample so that its mean speed, weighted by the map, is the map's own."""
    speed = np.linalg.norm(velocity, axis=1).mean(axis=0)
    asked, got = float((motion_map**2).sum()), float((speed * motion_map).sum())
    factor = np.clip(asked / max(got, 1e-9), 0.25, 4.0)
    return (velocity * factor).astype(np.float32)
