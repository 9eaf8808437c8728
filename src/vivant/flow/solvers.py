"""Solvers of ``dx/dt = v(x, t)`` from t = 0 to 1, as plain functions.

They need arithmetic only: ``x`` may be a NumPy array or a PyTorch tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeVar

A = TypeVar("A", bound=Any)
Velocity = Callable[[A, float], A]


def time_grid(steps: int, shift: float = 1.0) -> list[float]:
    """``steps + 1`` times from 0 to 1; ``shift`` > 1 spends more steps near the noise.

    The shift is that of Esser et al., Stable Diffusion 3 (2024). Raises ValueError below 1 step.
    """
    if steps < 1:
        raise ValueError(f"at least 1 step is needed, not {steps}")
    even = [k / steps for k in range(steps + 1)]
    return [u / (u + shift * (1 - u)) if u else 0.0 for u in even]


def euler(v: Velocity[A], x: A, times: Sequence[float]) -> A:
    """First-order steps along ``times``."""
    for now, then in pairwise(times):
        x = x + (then - now) * v(x, now)
    return x


def heun(v: Velocity[A], x: A, times: Sequence[float]) -> A:
    """Second-order steps (trapezoid with an Euler predictor), two evaluations each."""
    for now, then in pairwise(times):
        slope = v(x, now)
        ahead = v(x + (then - now) * slope, then)
        x = x + (then - now) * 0.5 * (slope + ahead)
    return x


def midpoint(v: Velocity[A], x: A, times: Sequence[float]) -> A:
    """Second-order steps through the middle, two evaluations each."""
    for now, then in pairwise(times):
        half = x + 0.5 * (then - now) * v(x, now)
        x = x + (then - now) * v(half, 0.5 * (now + then))
    return x


SOLVERS: dict[str, Callable[..., Any]] = {"euler": euler, "heun": heun, "midpoint": midpoint}
