"""A motion field in numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from vivant.clip import Floats
from vivant.field.motion_field import MotionField, speed

MOVING = 0.01
COMPASS = ("right", "down-right", "down", "down-left", "left", "up-left", "up", "up-right")


def describe(field: MotionField) -> dict[str, Any]:
    """Facts for ``--json``: duration, grid, speeds (short sides per second), shares 0..1.

    ``moving_share``: cells faster than 0.01; ``drift_share``: how much of the moving cells'
    motion goes one way rather than to and fro; ``direction``: of the mean motion.
    """
    h, w = field.grid
    mean_speed = speed(field)
    moving = mean_speed > MOVING
    mean = field.velocity.mean(axis=0)
    path = float(mean_speed[moving].sum())
    drift = float(np.linalg.norm(mean, axis=0)[moving].sum()) / path if path > 0 else 0.0
    overall = mean.reshape(2, -1).mean(axis=1)
    return {
        "seconds": field.seconds,
        "rate": field.rate,
        "steps": field.steps,
        "grid": [h, w],
        "loop_seconds": field.loop_seconds,
        "mean_speed": float(mean_speed.mean()),
        "max_speed": float(mean_speed.max()),
        "moving_share": float(moving.mean()),
        "drift_share": drift,
        "direction": _compass(overall) if np.linalg.norm(overall) > 1e-4 else "none",
        "light_stops": [float(field.light.min()), float(field.light.max())],
        "still_share": float((field.still > 0.5).mean()),
        "about": dict(field.about),
    }


def _compass(vector: Floats) -> str:
    angle = np.arctan2(vector[1], vector[0])
    return COMPASS[round(float(angle) / (np.pi / 4)) % 8]
