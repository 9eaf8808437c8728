"""The wind: where to it blows on the ground plane, and how fast."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vivant.asset import Files
from vivant.controls.directions import ON_GROUND, direction, word_of
from vivant.controls.entry import Control, Entry, Option
from vivant.errors import UsageError

MOST = 30.0
SPEEDS = {"calm": 0.5, "light": 2.0, "fresh": 6.0, "strong": 11.0, "storm": 20.0}
"""Metres a second."""


@dataclass(frozen=True)
class Wind:
    """Clouds, waves, smoke, plants and cloth follow it. ``degrees`` on the ground plane: 0 to the
    right, 90 away from the viewer, 180 to the left, 270 towards; ``speed`` 0 to 30 metres a
    second, None = as sampled. Raises UsageError outside of that."""

    degrees: float
    speed: float | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.degrees):
            raise UsageError("The wind's direction must be a number of degrees.")
        if self.speed is not None and not 0 <= self.speed <= MOST:
            raise UsageError(
                f"The wind's speed must be from 0 up to {MOST:g} m/s, not {self.speed:g}."
            )

    @property
    def asks(self) -> bool:
        """Always."""
        return True


def parse_wind(text: str, files: Files) -> tuple[Control, ...]:
    """``"left"``, ``"towards,strong"``, ``"135,8"``. Raises UsageError."""
    where, given, speed = text.partition(",")
    return (Wind(direction(where, ON_GROUND, "the wind"), speed_of(speed) if given else None),)


def speed_of(text: str) -> float:
    """Metres a second of a word or a number. Raises UsageError."""
    word = text.strip().lower()
    if word in SPEEDS:
        return SPEEDS[word]
    try:
        return float(word)
    except ValueError as error:
        raise UsageError(
            f"The wind's speed is {', '.join(SPEEDS)} or a number of m/s, not {text.strip()!r}."
        ) from error


def write_wind(control: Wind) -> tuple[str, ...]:
    """The words that ask for it again."""
    speed = "" if control.speed is None else f",{control.speed:g}"
    return "--wind", word_of(control.degrees, ON_GROUND) + speed


ENTRY = Entry(
    "wind",
    Wind,
    (
        Option(
            "--wind",
            "Where to the wind blows (left, right, towards, away, degrees), and how fast:"
            " left,strong or left,8 (m/s).",
            parse_wind,
            "DIRECTION[,SPEED]",
        ),
    ),
    write=write_wind,
)
