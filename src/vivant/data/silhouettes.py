"""Procedural silhouettes with exact alpha: skylines, poles, masts, twigs, leaves, hair, rocks.

Drawn at four times the size and averaged down, so that a pixel's alpha is the share of it that
is covered.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats

OVER = 4
Canvas = NDArray[np.uint8]
Draw = Callable[[Canvas, np.random.Generator], None]


def silhouette(rng: np.random.Generator, side: int) -> Floats:
    """Alpha ``[side, side]`` 0..1 of one to three sorts of things in front."""
    canvas = np.zeros((side * OVER, side * OVER), np.uint8)
    ground(canvas, rng)
    for _ in range(int(rng.integers(1, 4))):
        SORTS[int(rng.integers(len(SORTS)))](canvas, rng)
    alpha = cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    soft = rng.uniform(0.3, 1.2)
    return np.asarray(cv2.GaussianBlur(alpha / 255, (0, 0), soft), np.float32)


def ground(canvas: Canvas, rng: np.random.Generator) -> None:
    """A ragged lower edge: hills, trees, a shore."""
    s = len(canvas)
    level = s * rng.uniform(0.55, 1.05)
    line = np.full(s, level)
    for octave in range(7):
        steps = 3 * 2**octave
        noise = rng.normal(0, 1, steps + 1) * s * rng.uniform(0.02, 0.12) / 1.7**octave
        line += np.interp(np.arange(s), np.linspace(0, s, steps + 1), noise)
    canvas[np.arange(s)[:, None] > line[None]] = 255


def skyline(canvas: Canvas, rng: np.random.Generator) -> None:
    """Houses and towers with roofs, spires and antennas."""
    s, x = len(canvas), 0.0
    low = s * rng.uniform(0.5, 1.0)
    while x < s:
        wide, top = s * rng.uniform(0.04, 0.2), low - s * rng.exponential(0.12)
        cv2.rectangle(canvas, (int(x), int(top)), (int(x + wide), s), 255, -1)
        middle = int(x + wide * rng.uniform(0.2, 0.8))
        if rng.random() < 0.3:
            tip = (middle, int(top - s * rng.uniform(0.02, 0.2)))
            points = np.array([(int(x), int(top)), (int(x + wide), int(top)), tip])
            cv2.fillPoly(canvas, [points], 255)
        if rng.random() < 0.4:
            end = (middle, int(top - s * rng.uniform(0.05, 0.25)))
            cv2.line(canvas, (middle, int(top)), end, 255, int(rng.integers(2, 12)))
        x += wide * rng.uniform(0.8, 2.0)


def poles(canvas: Canvas, rng: np.random.Generator) -> None:
    """Lamp posts, masts and the wires between them."""
    s, tops = len(canvas), []
    for _ in range(int(rng.integers(1, 5))):
        x, top = rng.uniform(0, s), rng.uniform(0.05, 0.7) * s
        lean = rng.normal(0, 0.03) * s
        width = int(rng.integers(3, 22))
        cv2.line(canvas, (int(x), s), (int(x + lean), int(top)), 255, width)
        if rng.random() < 0.5:
            arm = int(x + lean + rng.normal(0, 0.08) * s)
            cv2.line(canvas, (int(x + lean), int(top)), (arm, int(top)), 255, max(2, width // 2))
            cv2.circle(canvas, (arm, int(top)), int(rng.integers(5, 25)), 255, -1)
        tops.append((x + lean, top))
    for (ax, ay), (bx, by) in pairwise(tops):
        t = np.linspace(0, 1, 24)
        sag = s * rng.uniform(0, 0.12) * 4 * t * (1 - t)
        points = np.stack([ax + (bx - ax) * t, ay + (by - ay) * t + sag], 1).astype(np.int32)
        cv2.polylines(canvas, [points], False, 255, int(rng.integers(1, 6)))


def twigs(canvas: Canvas, rng: np.random.Generator) -> None:
    """A bare or leafy branching tree, or boughs that reach in from the edge."""
    s = len(canvas)
    heading = rng.normal(-np.pi / 2, 0.4)
    start = np.array([rng.uniform(0, s), s * rng.uniform(0.7, 1.05)])
    if rng.random() < 0.35:
        side = rng.choice([0.0, 1.0])
        start, heading = np.array([side * s, rng.uniform(0, 0.7) * s]), np.pi * side
        heading += rng.normal(0, 0.5)
    leaf = rng.uniform(4, 22) if rng.random() < 0.5 else 0.0
    _branch(canvas, rng, start, heading, s * rng.uniform(0.1, 0.25), rng.uniform(8, 40), leaf, 0)


def _branch(
    canvas: Canvas,
    rng: np.random.Generator,
    at: NDArray[np.floating],
    heading: float,
    length: float,
    width: float,
    leaf: float,
    depth: int,
) -> None:
    end = at + length * np.array([np.cos(heading), np.sin(heading)])
    a, b = (tuple(int(v) for v in p) for p in (at, end))
    cv2.line(canvas, a, b, 255, max(1, int(width)))
    if depth > 2 and leaf:
        turn = float(rng.uniform(0, 180))
        cv2.ellipse(canvas, b, (int(leaf) + 1, int(leaf / 2) + 1), turn, 0, 360, 255, -1)
    if depth >= 6 or length < 6:
        return
    for _ in range(int(rng.integers(2, 4))):
        way = heading + rng.normal(0, 0.5)
        size = rng.uniform(0.6, 0.85)
        _branch(canvas, rng, end, way, length * size, width * 0.62, leaf, depth + 1)


def rigging(canvas: Canvas, rng: np.random.Generator) -> None:
    """A boat: hull, mast, stays."""
    s = len(canvas)
    x, y, size = rng.uniform(0.2, 0.8) * s, rng.uniform(0.6, 0.95) * s, rng.uniform(0.1, 0.3) * s
    hull = [(x - size, y), (x + size, y), (x + 0.7 * size, y + 0.25 * size)]
    hull.append((x - 0.7 * size, y + 0.25 * size))
    cv2.fillPoly(canvas, [np.array(hull, np.int32)], 255)
    top = (int(x), int(y - size * rng.uniform(1.5, 3)))
    cv2.line(canvas, (int(x), int(y)), top, 255, int(rng.integers(3, 12)))
    for end in (-0.95, 0.95):
        cv2.line(canvas, top, (int(x + end * size), int(y)), 255, int(rng.integers(1, 4)))


def strands(canvas: Canvas, rng: np.random.Generator) -> None:
    """A head with hair, or a tuft of grass: many thin curves from one place."""
    s = len(canvas)
    centre = np.array([rng.uniform(0.2, 0.8) * s, rng.uniform(0.6, 1.0) * s])
    radius = s * rng.uniform(0.08, 0.22)
    if rng.random() < 0.6:
        axes = (int(radius), int(radius * 1.2))
        cv2.ellipse(canvas, tuple(int(v) for v in centre), axes, 0, 0, 360, 255, -1)
    for _ in range(int(rng.integers(60, 260))):
        way = rng.uniform(-np.pi, 0)
        t = np.linspace(0, 1, 10)
        bend = rng.normal(0, 0.7) * t**2
        reach = radius * (0.9 + rng.exponential(0.35) * t)
        points = centre + np.stack([np.cos(way + bend), np.sin(way + bend)], 1) * reach[:, None]
        cv2.polylines(canvas, [points.astype(np.int32)], False, 255, int(rng.integers(1, 5)))


def rocks(canvas: Canvas, rng: np.random.Generator) -> None:
    """Irregular blobs: stones, birds, clouds of leaves."""
    s = len(canvas)
    for _ in range(int(rng.integers(1, 8))):
        n = int(rng.integers(5, 24))
        turn = np.sort(rng.uniform(0, 2 * np.pi, n))
        reach = s * rng.uniform(0.01, 0.16) * rng.uniform(0.5, 1.3, n)
        at = np.array([rng.uniform(0, s), rng.uniform(0.1, 1) * s])
        points = at + np.stack([np.cos(turn), 0.6 * np.sin(turn)], 1) * reach[:, None]
        cv2.fillPoly(canvas, [points.astype(np.int32)], 255)


SORTS: tuple[Draw, ...] = (skyline, poles, twigs, rigging, strands, rocks)
