"""The motion field of a stage: how fast what its layers show moves, on the cells of a picture."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats
from vivant.field.motion_field import RATE, MotionField, grid_for
from vivant.rendering.layers import Layer, Stage

FINER = 4
"""Samples on a side of a cell."""
MOST_SECONDS = 8.0
"""Longer motions are stated for so long; how a field goes on says `vivant.field.beyond`."""


def field_of(stage: Stage, seconds: float, loop: bool, about: dict[str, str]) -> MotionField:
    """What moves on a stage, as a field of ``seconds`` at 8 steps a second (at most 8 s)."""
    height, width = stage.pixels.shape[:2]
    grid = grid_for(width, height)
    span = seconds if loop else min(seconds, MOST_SECONDS)
    steps = max(1, round(span * RATE))
    rate = steps / span if loop else RATE
    velocity = np.stack([_cells(stage, (k + 0.5) / rate, grid) for k in range(steps)])
    covered = np.zeros(grid, np.float32)
    for layer in stage.layers:
        if layer.veil:
            continue
        covered += _placed(None, layer, stage, grid)
    mean = np.linalg.norm(velocity, axis=1).mean(axis=0)
    return MotionField(
        velocity=np.asarray(velocity, np.float32),
        light=np.zeros((steps, *grid), np.float32),
        map=np.asarray(mean, np.float32),
        still=np.asarray(np.clip(1 - covered, 0, 1), np.float32),
        rate=rate,
        loop_seconds=seconds if loop else None,
        about=about,
    )


def _cells(stage: Stage, seconds: float, grid: tuple[int, int]) -> Floats:
    """Velocity ``[2, h, w]`` at a time."""
    total = np.zeros((*grid, 2), np.float32)
    for layer in stage.layers:
        total += _placed(layer.manner.flow(seconds), layer, stage, grid)
    return np.ascontiguousarray(total.transpose(2, 0, 1))


def _placed(values: Floats | None, layer: Layer, stage: Stage, grid: tuple[int, int]) -> Floats:
    """Values over a layer's box, times its matte (that alone where there are none), as means over
    the cells ``grid``."""
    height, width = stage.pixels.shape[:2]
    fine = grid[0] * FINER, grid[1] * FINER
    scale = fine[0] / height, fine[1] / width
    box = tuple(
        slice(int(s.start * k), max(int(s.start * k) + 1, round(s.stop * k)))
        for s, k in zip(layer.box, scale, strict=True)
    )
    size = (box[1].stop - box[1].start, box[0].stop - box[0].start)
    own = cv2.resize(layer.matte, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    if values is not None:
        own = own[..., None] * cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)
    canvas = np.zeros((*fine, *own.shape[2:]), np.float32)
    canvas[box] = own
    return np.asarray(cv2.resize(canvas, grid[::-1], interpolation=cv2.INTER_AREA), np.float32)
