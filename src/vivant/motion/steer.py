"""From what is seen to what is asked of the sampler and the renderer.

The networks say how fast each cell would move; here what is rigid is held, what is solid is
kept in its place, and what the user drew wins.
"""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats
from vivant.controls.raster import Guidance
from vivant.field.operations import smoothstep
from vivant.motion.sampler import Seen
from vivant.motion.steering import FIRST, Steering


def plain_map(seen: Seen, steering: Steering = FIRST) -> Floats:
    """The motion map as predicted: expected speed, less where it is doubtful that anything
    moves, none where hardly anything does, ``[h, w]`` short sides per second."""
    likely = seen.speed * seen.moving**steering.doubt_power
    expected = np.minimum(likely, steering.top_speed).astype(np.float32)
    return expected * smoothstep(
        *steering.hold, expected / np.float32(_top(expected, seen, steering))
    )


def steer_map(seen: Seen, guidance: Guidance, steering: Steering = FIRST) -> Floats:
    """The motion map under which a sample is drawn: the plain one, solid things slowed to a
    sway, then as masks and strokes ask."""
    fluid = fluid_share(seen, steering)
    plain = plain_map(seen, steering)
    top = _top(plain, seen, steering)
    solid, flowing = steering.livelier_solid, steering.livelier_fluid
    livelier = np.clip(steering.lively / top, 1.0, solid + (flowing - solid) * fluid)
    limit = steering.sway_speed + (steering.top_speed - steering.sway_speed) * fluid
    steered = np.minimum(livelier * np.minimum(plain, steering.outlier * top), limit)
    if guidance.move is not None:
        typical = max(float(np.percentile(steered, 90)), steering.asked_speed)
        asked = np.maximum(steered, steering.asked_share * typical)
        steered = guidance.move * asked
    drawn = np.linalg.norm(guidance.hint_velocity, axis=0)
    steered = np.maximum(steered, drawn * guidance.hint_mask)
    return (steered * (1 - guidance.still)).astype(np.float32)


def _top(values: Floats, seen: Seen, steering: Steering) -> float:
    """95th percentile over cells in which motion could be seen."""
    seeable = values[(seen.texture > steering.seeable) & (seen.rigid < steering.rigid[1])]
    return max(float(np.percentile(seeable if seeable.size > 50 else values, 95)), 1e-6)


def stillness(seen: Seen, guidance: Guidance, steering: Steering = FIRST) -> Floats:
    """How sure it is that a cell holds: nothing moves there, or it is rigid; what a user drew
    on moves all the same. Doubt about a whole picture does not hold its solid things, which
    only sway: of them what is likeliest to move may. Fluids travel, and a wrong one is ugly."""
    solid = 1 - smoothstep(*steering.fluid, seen.fluid)
    rigid = smoothstep(*steering.rigid, seen.rigid + steering.sooner * solid)
    doubt = max(1.0, steering.sure / _top(seen.moving, seen, steering))
    moving = np.minimum(seen.moving * (1 + (doubt - 1) * (1 - fluid_share(seen, steering))), 1)
    held = np.maximum(1 - moving, rigid) * (1 - guidance.hint_mask)
    if guidance.move is not None:
        held = held * (1 - guidance.move)
    return np.maximum(held, guidance.still).astype(np.float32)


def fluid_share(seen: Seen, steering: Steering = FIRST) -> Floats:
    """How far a cell may travel, 0..1: fluid, and no rigid thing."""
    return smoothstep(*steering.fluid, seen.fluid) * (1 - smoothstep(*steering.rigid, seen.rigid))


def on_the_spot(velocity: Floats, travels: Floats) -> Floats:
    """Take the drift out of what is not fluid.

    An Eulerian field cannot carry an object away without smearing it, so objects, plants and
    animals move about their place; water, clouds and smoke travel.
    """
    return velocity - velocity.mean(axis=0) * (1 - travels)


def stiffen(
    velocity: Floats, travels: Floats, motion_map: Floats, steering: Steering = FIRST
) -> Floats:
    """Let what is not fluid move with its neighbours, those that move most leading: a blossom
    sways as one, where samples for solid things differ from cell to cell and would bend it.
    Cells that are asked to move less than their neighbours follow by that share only."""
    lead = (motion_map * (1 - travels) + 1e-4).astype(np.float32)

    def led(values: Floats) -> Floats:
        blurred = cv2.GaussianBlur(values * lead, (0, 0), steering.stiff)
        return np.asarray(blurred, np.float32) / total

    total = cv2.GaussianBlur(lead, (0, 0), steering.stiff)
    follows = np.minimum(motion_map / np.maximum(led(motion_map), 1e-6), 1) * (1 - travels)
    moved = np.array([[led(component) for component in step] for step in velocity])
    return np.asarray(velocity * travels + moved * follows, np.float32)


def calibrate(velocity: Floats, motion_map: Floats, steering: Steering = FIRST) -> Floats:
    """Scale a sample so that its mean speed, weighted by the map, is the map's own."""
    speed = np.linalg.norm(velocity, axis=1).mean(axis=0)
    asked, got = float((motion_map**2).sum()), float((speed * motion_map).sum())
    factor = np.clip(asked / max(got, 1e-9), *steering.calibration)
    return (velocity * factor).astype(np.float32)
