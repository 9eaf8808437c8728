"""Textures that are carried on for ever: two of them take turns, each renewed while the other is
seen, at times that differ from place to place, so that nothing has a beat.

Every renewal begins elsewhere: at an age of its own (`Turn.start`), so that no moment returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats

UNEVEN = 0.3
"""Renewals begin up to so much of a period earlier or later than in turn."""


@dataclass(frozen=True, eq=False)
class Turn:
    """One of the two textures at a time, by place: its ``age`` in seconds since it was the picture,
    the ``weight`` 0..1 with which it is seen, and the number of its renewal ``life``; ``slot``:
    which of the two."""

    slot: int
    age: Floats
    weight: Floats
    life: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Turns:
    """How two textures take turns.

    ``period`` seconds from one renewal to the next; ``handover``: share of it in which one takes
    over from the other, 1 = always both; ``lag`` places' lateness in periods (any shape); ``seed``
    of the unevenness; ``lives`` after which the sequence begins anew, None = never, as a loop of
    ``lives * period`` seconds needs.
    """

    period: float
    handover: float
    lag: Floats
    seed: int
    lives: int | None = None

    def at(self, seconds: float) -> tuple[Turn, Turn]:
        """Both textures; their weights sum to 1. At 0 the first is the picture, the second is not
        seen."""
        when = seconds / self.period + self.lag * self._late(seconds)
        first, second = (self._turn(when + 0.5 + 0.5 * slot, slot) for slot in (0, 1))
        return first, second

    def _late(self, seconds: float) -> float:
        if self.lives is None:
            return 1.0 - float(np.exp(-abs(seconds) / self.period))
        return 0.5 - 0.5 * float(np.cos(2 * np.pi * seconds / (self.period * self.lives)))

    def _turn(self, place: Floats, slot: int) -> Turn:
        life = np.floor(place).astype(np.int64)
        phase = place - life
        away = np.abs(phase - 0.5)
        ramp = np.clip((0.25 - away) / (0.5 * self.handover) + 0.5, 0, 1)
        weight = ramp * ramp * (3 - 2 * ramp)
        age = (phase - 0.5 + self.starts(life, slot)) * self.period
        return Turn(slot, age.astype(np.float32), weight.astype(np.float32), life)

    def starts(self, life: NDArray[np.int64], slot: int) -> Floats:
        """Where in its ways each renewal begins, in periods."""
        out = np.zeros(life.shape, np.float32)
        for number in np.unique(life):
            out[life == number] = self._start(int(number), slot)
        return out

    def number(self, life: int) -> int:
        """The place of a life in the sequence, which begins anew in a loop."""
        return life if self.lives is None else life % self.lives

    def _start(self, life: int, slot: int) -> float:
        number = self.number(life)
        return 0.0 if (number, slot) == (0, 0) else _uneven(self.seed, number, slot)


def set_in(seconds: float, memory: float, loop: float | None) -> float:
    """How far 0..1 what is new has come in after ``seconds``: to 0.63 after ``memory``; slowly at
    first, so that there is no pop, and out again towards the end of a loop."""
    since = seconds if loop is None else min(seconds % loop, loop - seconds % loop)
    return 1.0 - float(np.exp(-((since / memory) ** 2)))


@cache
def _uneven(seed: int, number: int, slot: int) -> float:
    rng = np.random.default_rng([seed, number + 1, slot])
    return float(rng.uniform(-UNEVEN, UNEVEN))


def lives_in(loop: float | None, period: float) -> tuple[float, int | None]:
    """The period nearest to the wished one that fits a loop a whole number of times, and that
    number."""
    if loop is None:
        return period, None
    lives = max(1, round(loop / period))
    return loop / lives, lives
