"""From what is seen to what is asked of the sampler and the renderer.

The networks say how fast each cell would move; here what is rigid is held, what is solid is
kept in its place, and what the user drew wins.
"""

from __future__ import annotations

import cv2
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
LIVELY, MOST_LIVELIER = 0.04, (4.0, 2.0)
"""Fast cells reach this speed, but solid things are made at most four times as fast as expected,
fluids twice: the expected speed is a cautious one, and where nothing can be seen to move is no
clip."""
HOLD = (0.1, 0.45)
"""Cells slower than this share of the picture's fast ones are held: no jelly on the ground."""
SURE = 0.6
"""Chance of moving that the likeliest solid cells of every picture are given at least."""
STIFF = 5.0
"""Cells over which solid things move as one."""
RIGID = (0.58, 0.82)
"""Chance of being a man-made rigid thing from which cells begin to be held."""
SOONER = 0.1
"""What is no fluid is taken for that much more rigid: a tower that bends is worse than one that
holds, and about half of the classifier's classes are man-made, whatever it sees."""


def plain_map(seen: Seen) -> Floats:
    """The motion map as predicted: expected speed, less where it is doubtful that anything
    moves, none where hardly anything does, ``[h, w]`` short sides per second."""
    expected = np.minimum(seen.speed * seen.moving**0.5, TOP_SPEED).astype(np.float32)
    return expected * smoothstep(*HOLD, expected / np.float32(_top(expected, seen)))


def steer_map(seen: Seen, guidance: Guidance) -> Floats:
    """The motion map under which a sample is drawn: the plain one, solid things slowed to a
    sway, then as masks and strokes ask."""
    fluid = fluid_share(seen)
    plain = plain_map(seen)
    top = _top(plain, seen)
    solid, flowing = MOST_LIVELIER
    livelier = np.clip(LIVELY / top, 1.0, solid + (flowing - solid) * fluid)
    limit = SWAY_SPEED + (TOP_SPEED - SWAY_SPEED) * fluid
    steered = np.minimum(livelier * np.minimum(plain, 1.5 * top), limit)
    if guidance.move is not None:
        typical = max(float(np.percentile(steered, 90)), 0.03)
        asked = np.maximum(steered, 0.7 * typical)
        steered = guidance.move * asked
    drawn = np.linalg.norm(guidance.hint_velocity, axis=0)
    steered = np.maximum(steered, drawn * guidance.hint_mask)
    return (steered * (1 - guidance.still)).astype(np.float32)


def _top(values: Floats, seen: Seen) -> float:
    """95th percentile over cells in which motion could be seen."""
    seeable = values[(seen.texture > 0.4) & (seen.rigid < RIGID[1])]
    return max(float(np.percentile(seeable if seeable.size > 50 else values, 95)), 1e-6)


def stillness(seen: Seen, guidance: Guidance) -> Floats:
    """How sure it is that a cell holds: nothing moves there, or it is rigid; what a user drew
    on moves all the same. Doubt about a whole picture does not hold its solid things, which
    only sway: of them what is likeliest to move may. Fluids travel, and a wrong one is ugly."""
    rigid = smoothstep(*RIGID, seen.rigid + SOONER * (1 - smoothstep(*FLUID, seen.fluid)))
    doubt = max(1.0, SURE / _top(seen.moving, seen))
    moving = np.minimum(seen.moving * (1 + (doubt - 1) * (1 - fluid_share(seen))), 1)
    held = np.maximum(1 - moving, rigid) * (1 - guidance.hint_mask)
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


def stiffen(velocity: Floats, travels: Floats, motion_map: Floats) -> Floats:
    """Let what is not fluid move with its neighbours, those that move most leading: a blossom
    sways as one, where samples for solid things differ from cell to cell and would bend it.
    Cells that are asked to move less than their neighbours follow by that share only."""
    lead = (motion_map * (1 - travels) + 1e-4).astype(np.float32)

    def led(values: Floats) -> Floats:
        return np.asarray(cv2.GaussianBlur(values * lead, (0, 0), STIFF), np.float32) / total

    total = cv2.GaussianBlur(lead, (0, 0), STIFF)
    follows = np.minimum(motion_map / np.maximum(led(motion_map), 1e-6), 1) * (1 - travels)
    moved = np.array([[led(component) for component in step] for step in velocity])
    return np.asarray(velocity * travels + moved * follows, np.float32)


def calibrate(velocity: Floats, motion_map: Floats) -> Floats:
    """Scale a sample so that its mean speed, weighted by the map, is the map's own."""
    speed = np.linalg.norm(velocity, axis=1).mean(axis=0)
    asked, got = float((motion_map**2).sum()), float((speed * motion_map).sum())
    factor = np.clip(asked / max(got, 1e-9), 0.25, 4.0)
    return (velocity * factor).astype(np.float32)
