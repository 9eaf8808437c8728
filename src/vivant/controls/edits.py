"""What is done to footage, or to several pictures: each has a command of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from vivant.controls.entry import Entry
from vivant.errors import UsageError

SPEEDS = 0.02, 50.0
MOST_EXTENDED = 60.0


@dataclass(frozen=True)
class Edit:
    """What all edits share."""

    @property
    def asks(self) -> bool:
        """Always."""
        return True

    @property
    def command(self) -> str:
        """The command that asks for it."""
        return type(self).__name__.lower()


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


@dataclass(frozen=True)
class Clean(Edit):
    """A model's clip begins with the picture it was made from (the second key frame), exactly;
    beside `vivant.controls.finish.SteadyColour` the drift of its colours is taken out."""


@dataclass(frozen=True)
class Looped(Edit):
    """Footage closes without a seam; ``seconds`` is about how long the loop shall be, None as the
    footage allows. ``back``: it goes forth and back, or must not; None: where nothing looks the
    same again. Raises UsageError where that is no length."""

    seconds: float | None = None
    back: bool | None = None

    def __post_init__(self) -> None:
        if self.seconds is not None and not (math.isfinite(self.seconds) and self.seconds > 0):
            raise UsageError(f"A loop cannot last {self.seconds:g} s.")

    @property
    def command(self) -> str:
        """A loop is another control, that of clips that are made so."""
        return "loop"


@dataclass(frozen=True)
class Freeze(Edit):
    """What is held (`vivant.controls.kinds.HoldKind`, `vivant.controls.mask.Still`) stays as it is
    in the first frame of footage."""


@dataclass(frozen=True)
class Extend(Edit):
    """Footage goes on for ``seconds``, or begins so much earlier where ``before``. Raises
    UsageError where that is no length."""

    seconds: float = 4.0
    before: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.seconds) and 0 < self.seconds <= MOST_EXTENDED):
            raise UsageError(f"Footage goes on for 0 to 60 s, not {self.seconds:g}.")


@dataclass(frozen=True)
class Stir(Edit):
    """A camera (`vivant.controls.camera.Camera`) moves through the depth of footage, or its light
    changes (`vivant.controls.light.Light`)."""


def _write(control: Edit) -> tuple[str, ...]:
    """The words that come after the command."""
    match control:
        case Between(dissolve=True):
            return ("--dissolve",)
        case Retime(speed=speed):
            return ("--speed", f"{speed:g}")
        case Looped(seconds=seconds, back=back):
            length = () if seconds is None else ("--seconds", f"{seconds:g}")
            way = () if back is None else ("--back" if back else "--no-back",)
            return (*length, *way)
        case Extend(seconds=seconds, before=before):
            return ("--seconds", f"{seconds:g}", *(("--before",) if before else ()))
        case _:
            return ()


def _entry(name: str, kind: type[Any]) -> Entry:
    return Entry(name, kind, (), write=_write)


COMMANDS = (Between, Retime, Clean, Looped, Freeze, Extend, Stir)
ENTRIES = tuple(_entry(kind.__name__.lower(), kind) for kind in COMMANDS)
