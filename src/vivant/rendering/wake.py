"""Wakes: the waves that what travels on water draws behind it.

Two arms at Kelvin's angle of 19.5 degrees (Thomson, "On ship waves", 1887) and weaker crests across
between them, on the water plane in perspective, no farther back than the thing has come. They are
light alone, in proportion to the water's own contrast, as its glints are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from vivant.clip import Floats, Frame, Plane
from vivant.rendering.bodies import Body
from vivant.rendering.manners.manner import Ground, coarse, enlarged
from vivant.rendering.manners.surface import contrast_of
from vivant.rendering.manners.waves import ABOVE, horizon_of

KELVIN = 0.353
"""Tangent of the angle between the way and an arm."""
ACROSS, CRESTS = 1.6, 0.35
"""Length of the crests across in those of the arms, and their part."""
LENGTH = 0.5, 0.04, 0.16
"""Length of the arms' waves in widths of the thing, at least and at most in short sides."""
REACH = 0.6
"""A wake fades to a third over so many short sides on the water."""
FAST = 0.05
"""Short sides a second on the water at which it is as high as it gets."""
HEIGHT, FAINTEST, MOST = 2.4, 16.0, 60.0
"""Light in the water's local contrast, besides so many levels; and at most."""
FOCAL = 1.07
"""Focal length in widths of the picture: a view of 50 degrees."""
FLAT = 0.07
"""Water is seen at least this steeply: rise over run."""
NODES = 1.5
WITHIN = 0.5
"""Share of water around its foot with which a thing travels on it."""


@dataclass(frozen=True, eq=False)
class Wakes:
    """What ``bodies`` draw on ``water`` ``[H, W]`` (255 = water) of ``pixels`` ``[H, W, 3]``, the
    picture without them, at ``fps``."""

    pixels: Frame
    water: Plane
    bodies: tuple[Body, ...]
    fps: float

    @cached_property
    def ground(self) -> Ground:
        """The water as a layer's ground."""
        h, w = self.water.shape
        return Ground(self.pixels, self.water, picture=(w, h))

    @cached_property
    def look(self) -> tuple[Floats, tuple[float, float, float]]:
        """The water's contrast ``[H, W]``, and its colour."""
        return contrast_of(self.ground)

    @cached_property
    def horizon(self) -> float | None:
        """Row of the water's far edge; None where it is seen from above."""
        far = horizon_of(self.ground, self.water.shape[1])
        return None if far < ABOVE * self.water.shape[0] else far

    def upon(self, frame: Frame, index: int) -> Frame:
        """A frame ``[H, W, 3]`` with the wakes of its moment."""
        slopes = [self.slope(body, index) for body in self.bodies]
        shown = [slope for slope in slopes if slope is not None]
        if not shown:
            return frame
        contrast, colour = self.look
        light = enlarged(np.asarray(np.sum(shown, axis=0), np.float32), self.water.shape)
        light *= (HEIGHT * contrast + FAINTEST) * (self.water.astype(np.float32) / 255)
        grey = np.clip(light, -MOST, MOST)
        each = [(grey * part).astype(np.int16) for part in colour]
        return np.asarray(cv2.add(frame, cv2.merge(each), dtype=cv2.CV_8U), np.uint8)

    def slope(self, body: Body, index: int) -> Floats | None:
        """Slopes -1..1 of a wake on a coarse grid; None where there is none yet."""
        h, w = self.water.shape
        short = float(min(h, w))
        foot = np.array(_foot(body)) + body.path[index]
        steep = self._steep(float(foot[1]))
        way = np.diff(body.path[: index + 1], axis=0) / (short, short * steep)
        steps = np.hypot(way[:, 0], way[:, 1])
        recent = way[-max(1, round(self.fps / 4)) :].mean(axis=0) if len(way) else np.zeros(2)
        speed = float(np.hypot(*recent))
        if speed * self.fps < 0.1 * FAST:
            return None
        ahead = recent / speed
        nodes = coarse((h, w), NODES)
        x = ((np.arange(nodes[1]) + 0.5) * w / nodes[1] - foot[0]) / short
        y = ((np.arange(nodes[0]) + 0.5) * h / nodes[0] - foot[1]) / (short * steep)
        behind = -(x[None] * ahead[0] + y[:, None] * ahead[1])
        aside = np.abs(y[:, None] * ahead[0] - x[None] * ahead[1])
        long, beam = self._sizes(body, short)
        edge = aside - 0.3 * beam - KELVIN * np.maximum(behind, 0)
        arms = np.sin(2 * np.pi * edge / long) * np.exp(-((edge / long) ** 2))
        crests = np.cos(2 * np.pi * behind / (ACROSS * long)) / (
            1 + np.exp(np.clip(6 * edge / long, -30, 30))
        )
        gone = float(steps.sum())
        shown = np.clip(behind / long, 0, 1) * np.clip((gone - behind) / (2 * long), 0, 1)
        fade = np.exp(-np.maximum(behind, 0) / REACH) * min(1.0, speed * self.fps / FAST)
        return np.asarray((arms + CRESTS * crests) * shown * fade, np.float32)

    def _steep(self, row: float) -> float:
        """How much shorter what lies on the water at a row is seen up and down than across."""
        if self.horizon is None:
            return 1.0
        focal = FOCAL * self.water.shape[1]
        return float(np.clip((row - self.horizon) / focal, FLAT, 1.0))

    def _sizes(self, body: Body, short: float) -> tuple[float, float]:
        """Length of its waves, and its width, short sides."""
        columns = np.flatnonzero((body.matte > 0.5).any(axis=0))
        wide = float(np.ptp(columns) + 1) / short if len(columns) else LENGTH[1]
        share, least, most = LENGTH
        return float(np.clip(share * wide, least, most)), min(wide, 0.3)


def wakes_of(pixels: Frame, below: Frame, bodies: list[Body], water: Plane, fps: float) -> Wakes:
    """The wakes of those ``bodies`` of a picture ``pixels`` ``[H, W, 3]`` that travel on its
    ``water`` ``[H, W]``; ``below`` is the picture without them, water where they were, too."""
    own = [body for body in bodies if _on_water(body, water)]
    wide = water.copy()
    for body in own:
        wide = np.maximum(wide, (255 * np.clip(body.matte, 0, 1)).astype(np.uint8))
    changed = (below != pixels).any(axis=2)
    return Wakes(below, np.where(changed | (water > 0), wide, np.uint8(0)), tuple(own), fps)


def _foot(body: Body) -> tuple[float, float]:
    """Where a thing touches the water, x and y in pixels."""
    if any(body.foot):
        return body.foot
    rows, columns = np.nonzero(body.matte > 0.5)
    return (float(columns.mean()), float(rows.max())) if len(rows) else (0.0, 0.0)


def _on_water(body: Body, water: Plane) -> bool:
    """Whether there is mostly water beside a thing's foot."""
    columns = np.flatnonzero((body.matte > 0.5).any(axis=0))
    if not len(columns):
        return False
    foot, reach = _foot(body)[1], max(3, len(columns) // 4)
    box = (
        slice(max(0, round(foot) - reach // 2), round(foot) + reach // 2 + 2),
        slice(max(0, int(columns[0]) - reach), int(columns[-1]) + reach),
    )
    beside = body.matte[box] < 0.1
    return bool(beside.any() and (water[box][beside] > 127).mean() > WITHIN)
