"""How strong the motion is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vivant.asset import Files
from vivant.controls.entry import Entry, Option
from vivant.errors import UsageError

MOST = 10.0


@dataclass(frozen=True)
class Strength:
    """Scales the motion: ``factor`` 0 (a still clip) to 10, 1 = as sampled.

    Raises UsageError outside of that.
    """

    factor: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.factor) and 0 <= self.factor <= MOST):
            raise UsageError(f"strength must be from 0 up to {MOST:g}, not {self.factor:g}.")

    @property
    def asks(self) -> bool:
        """Strength 1 changes nothing."""
        return self.factor != 1.0


def parse_strength(text: str, files: Files) -> tuple[Strength, ...]:
    """A number as text. Raises UsageError."""
    try:
        return (Strength(float(text)),)
    except ValueError as error:
        raise UsageError(f"strength must be a number, not {text!r}.") from error


ENTRY = Entry(
    "strength",
    Strength,
    (Option("--strength", "Scales the motion; 0 = still.", parse_strength, "FACTOR"),),
    write=lambda control: ("--strength", f"{control.factor:g}"),
)
