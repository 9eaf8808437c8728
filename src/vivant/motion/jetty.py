"""Jetties that run out into water and that the eyes took for it: told by their straight rims.

Water has no long straight edges that lean: its horizon is level, what is mirrored in it stands
upright. Two such edges that run towards each other, as all that is parallel does with distance, are
the rims of a jetty, and what lies between them are its planks.
"""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.rendering.space.lines import lines_of

LONG, LEAN = 0.22, (12.0, 80.0)
"""Short sides that a rim is long at least, and degrees by which it leans from level."""
WITHIN, SAMPLES = 0.6, 32
"""Share of a rim, at so many places, that lies in water."""
NARROWS, SHARED = 0.8, 0.5
"""The far end is so wide at most, in widths of the near one; rims are beside each other over so
much of the height of the longer one at least."""
UNLIKE, FINE, BESIDE = 0.05, 4, 0.2
"""By how much (0..1) the planks differ in colour, or so many times in what is fine in them, from
the water so many short sides beside them."""
EDGE = 0.06
"""Short sides from the picture's edge at which a rim runs out of it."""
RIM = 0.02
"""Short sides beyond its rims that are still the jetty."""


def jetty_in(work: Frame, water: Floats) -> NDArray[np.bool_]:
    """Where ``[h, w]`` jetties lie in the ``water`` (share ``[h, w]``) of a picture
    ``[h, w, 3]``."""
    found = np.zeros(water.shape, np.uint8)
    short = min(water.shape)
    rims = [line for line in lines_of(work) * short if _is_rim(line, water)]
    for one, other in combinations(rims, 2):
        outline = _between(one, other, water.shape)
        if outline is not None and _unlike(work, water, outline):
            cv2.fillPoly(found, [outline], 1)
    if not found.any():
        return found > 0
    wide = 2 * round(RIM * short) + 1
    return np.asarray(cv2.dilate(found, np.ones((wide, wide), np.uint8)) > 0)


def _is_rim(line: Floats, water: Floats) -> bool:
    """Whether a line (x, y, x, y in pixels) is long, leans and lies in water."""
    across, down = np.abs(line[2:] - line[:2])
    lean = float(np.degrees(np.arctan2(down, across)))
    if np.hypot(across, down) < LONG * min(water.shape) or not LEAN[0] < lean < LEAN[1]:
        return False
    share = np.linspace(0, 1, SAMPLES)[:, None]
    places = (line[:2] + share * (line[2:] - line[:2])).astype(int)
    x, y = (np.clip(places[:, k], 0, water.shape[1 - k] - 1) for k in (0, 1))
    return bool((water[y, x] > 0.5).mean() > WITHIN)


def _between(one: Floats, other: Floats, shape: tuple[int, ...]) -> NDArray[np.int32] | None:
    """What two rims enclose, ``[4, 2]``, down to the picture's lower edge where they reach near it;
    None where they are not those of one jetty."""
    spans = [sorted((line[1], line[3])) for line in (one, other)]
    shared = min(span[1] for span in spans) - max(span[0] for span in spans)
    if shared < SHARED * max(span[1] - span[0] for span in spans):
        return None
    top, bottom = min(s[0] for s in spans), max(s[1] for s in spans)
    ends = [[_x(line, y) for line in (one, other)] for y in (top, bottom)]
    wide = [right - left for left, right in ends]
    if wide[0] * wide[1] <= 0 or abs(wide[0]) > NARROWS * abs(wide[1]):
        return None
    if any(_leaves(line, shape) for line in (one, other)):
        bottom = float(shape[0])
        ends[1] = [_x(line, bottom) for line in (one, other)]
    (a, b), (c, d) = ends
    return np.round([[a, top], [b, top], [d, bottom], [c, bottom]]).astype(np.int32)


def _leaves(line: Floats, shape: tuple[int, ...]) -> bool:
    """Whether a rim runs out of the picture at its nearer end."""
    x, y = line[:2] if line[1] > line[3] else line[2:]
    edge = EDGE * min(shape)
    return bool(y > shape[0] - edge or x < edge or x > shape[1] - edge)


def _x(line: Floats, y: float) -> float:
    """Where a line is at a height."""
    return float(line[0] + (y - line[1]) * (line[2] - line[0]) / (line[3] - line[1]))


def _unlike(work: Frame, water: Floats, outline: NDArray[np.int32]) -> bool:
    """Whether what is inside an outline differs from the water beside it."""
    inside = np.zeros(water.shape, np.uint8)
    cv2.fillPoly(inside, [outline], 1)
    wide = cv2.dilate(inside, np.ones((1, 2 * round(BESIDE * min(water.shape)) + 1), np.uint8))
    beside = (wide > 0) & (inside == 0) & (water > 0.5)
    within = (inside > 0) & (water > 0.5)
    if not beside.any() or not within.any():
        return False
    grey = cv2.cvtColor(work, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 2.0))
    colour = np.abs(work[within].mean(axis=0) - work[beside].mean(axis=0)).max()
    texture = float(fine[within].mean() - fine[beside].mean()) * FINE
    return bool(max(float(colour), texture) > 255 * UNLIKE)
