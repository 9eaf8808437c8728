"""A camera that a hand holds: pan, tilt and roll that wander as they do in real clips.

The amplitudes are medians over nine hand-held clips (`benchmarks/hand_held.py`), octave by octave;
half of the clips lie within 0.2 and 2.5 times of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vivant.rendering.noise import Walk, walk

RATES = (0.35, 0.7, 1.4, 2.8, 5.6)
"""Middles of octaves, Hz."""
DEGREES = (
    (0.234, 0.179, 0.037, 0.023, 0.0145),
    (0.077, 0.042, 0.049, 0.018, 0.009),
    (0.098, 0.087, 0.027, 0.012, 0.011),
)
"""Degrees r.m.s. of pan, tilt and roll in each octave, measured."""
SHIFT = (0.010, 0.008)
"""Sideways and up, short sides of the nearest, at the lowest rate: not measured, since clips tell
shifts from turns by little."""

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Hand:
    """What a hand does over time: walks by axis and octave, and those of its place."""

    turns: tuple[tuple[Walk, ...], ...]
    shifts: tuple[Walk, ...]

    @staticmethod
    def of(seed: int, loop: float | None) -> Hand:
        """A hand by its ``seed``, that closes after ``loop`` seconds."""

        def one(*key: int, rate: float) -> Walk:
            return walk(rate, np.random.default_rng([seed, *key]), loop)

        turns = tuple(
            tuple(one(axis, octave, rate=rate) for octave, rate in enumerate(RATES))
            for axis in range(len(DEGREES))
        )
        return Hand(turns, tuple(one(9, axis, rate=RATES[0]) for axis in range(len(SHIFT))))

    def turn(self, seconds: float) -> Triple:
        """Degrees of pan, tilt and roll from where the picture was taken."""
        pan, tilt, roll = (
            sum(w.since(seconds) * size for w, size in zip(walks, sizes, strict=True))
            for walks, sizes in zip(self.turns, DEGREES, strict=True)
        )
        return pan, tilt, roll

    def shift(self, seconds: float) -> tuple[float, float]:
        """Short sides of the nearest, right and down."""
        across, down = (w.since(seconds) * size for w, size in zip(self.shifts, SHIFT, strict=True))
        return across, down
