"""Controls drawn onto the cell grid: dense guidance for a motion model."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from vivant.clip import Floats, Plane
from vivant.controls.drawn import Drawn
from vivant.controls.stroke import Stroke

HIT_RADIUS = 1.0
"""A stroke touches cells whose centre is within this many cells of it."""


@dataclass(frozen=True)
class Guidance:
    """Controls on ``h x w`` cells.

    ``hint_velocity`` ``[2, h, w]`` short sides per second where ``hint_mask`` ``[h, w]`` is
    1; ``still`` ``[h, w]`` 1 where the still mask touches the cell; ``move`` ``[h, w]`` 0..1
    share of the cell under the move mask, None where there is none; ``things`` the same of the
    things that strokes drive.
    """

    hint_velocity: Floats
    hint_mask: Floats
    still: Floats
    move: Floats | None
    things: Floats | None = None


def rasterise(controls: Drawn, grid: tuple[int, int], aspect: float, seconds: float) -> Guidance:
    """Draw ``controls`` for a picture of the given ``aspect`` (width / height).

    ``seconds`` is the duration over which a stroke without one of its own is travelled.
    Later strokes win where they cross earlier ones.
    """
    velocity = np.zeros((2, *grid), np.float32)
    mask = np.zeros(grid, np.float32)
    for stroke in controls.strokes:
        _draw(stroke, velocity, mask, aspect, stroke.seconds or seconds)
    still = np.zeros(grid, np.float32)
    if controls.still is not None:
        still = (_share(controls.still, grid) > 0.02).astype(np.float32)
    move = None if controls.move is None else _share(controls.move, grid)
    things = None if controls.things is None else _share(controls.things, grid)
    return Guidance(velocity, mask * (1 - still), still, move, things)


def _share(mask: Plane, grid: tuple[int, int]) -> Floats:
    """Share of each cell that the mask covers, 0..1."""
    applied = (mask > 127).astype(np.float32)
    return np.asarray(
        cv2.resize(applied, (grid[1], grid[0]), interpolation=cv2.INTER_AREA), np.float32
    )


def _draw(stroke: Stroke, velocity: Floats, mask: Floats, aspect: float, seconds: float) -> None:
    h, w = mask.shape
    extent = np.array([max(aspect, 1.0), max(1 / aspect, 1.0)])
    points = np.array(stroke.points) * extent
    length = float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
    if length == 0:
        return
    y, x = np.mgrid[0:h, 0:w]
    centres = np.stack([(x + 0.5) / w, (y + 0.5) / h], axis=-1) * extent
    reach = HIT_RADIUS / min(h, w)
    nearest = np.full((h, w), np.inf)
    for a, b in pairwise(points):
        along = b - a
        size = float(np.linalg.norm(along))
        if size == 0:
            continue
        share = np.clip((centres - a) @ along / size**2, 0, 1)
        distance = np.linalg.norm(centres - (a + share[..., None] * along), axis=-1)
        hit = (distance <= reach) & (distance < nearest)
        nearest[hit] = distance[hit]
        velocity[:, hit] = (along / size * length / seconds)[:, None]
        mask[hit] = 1.0
