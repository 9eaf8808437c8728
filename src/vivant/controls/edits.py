"""What is done to footage, or to several pictures: each has a command of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from vivant.controls.entry import Entry
from vivant.errors import UsageError

SPEEDS = 0.02, 50.0


@dataclass(frozen=True)
class Edit:
    """What all edits share."""

    @property
    def asks(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True)
class Between(Edit):
    """One clip through all pictures; those of other scenes cross-fade where ``dissolve``."""

    dissolve: bool = False


@dataclass(frozen=True)
class Retime(Edit):
    """Play at ``speed`` (1 as it was, 0.25 four times slower). Raises UsageError beyond 0.02 to
    50."""

    speed: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.speed) and SPEEDS[0] <= self.speed <= SPEEDS[1]):
            raise UsageError(f"speed must be from 0.02 to 50, not {self.speed:g}.")


def _write(control: Between | Retime) -> tuple[str, ...]:
    """The words that come after the command."""
    if isinstance(control, Between):
        return ("--dissolve",) if control.dissolve else ()
    return ("--speed", f"{control.speed:g}")


def _entry(name: str, kind: type[Any]) -> Entry:
    return Entry(name, kind, (), write=_write)


ENTRIES = tuple(_entry(kind.__name__.lower(), kind) for kind in (Between, Retime))
