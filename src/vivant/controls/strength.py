"""How strong the motion is: all of it, and that of single kinds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from vivant.asset import Files
from vivant.controls.entry import Control, Entry, Option
from vivant.errors import UsageError
from vivant.kinds import KINDS, kind_named

MOST = 10.0


@dataclass(frozen=True)
class Strength:
    """Scales the motion: ``factor`` 0 (nothing moves) to 10, 1 = as sampled; of one ``kind``
    (`vivant.kinds.KINDS`) only, on top of the factor of all, where one is named.

    Raises UsageError outside of that.
    """

    factor: float = 1.0
    kind: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.factor) and 0 <= self.factor <= MOST):
            raise UsageError(f"strength must be from 0 up to {MOST:g}, not {self.factor:g}.")
        if self.kind and self.kind not in KINDS:
            raise UsageError(f"There is no kind {self.kind!r}; known are {', '.join(KINDS)}.")

    @property
    def asks(self) -> bool:
        """Strength 1 changes nothing."""
        return self.factor != 1.0


def strengths(controls: Iterable[Strength]) -> dict[str, float]:
    """Factor by kind, that of all motion under "". Raises UsageError where one is given twice."""
    found: dict[str, float] = {}
    for control in controls:
        if control.kind in found:
            what = f"of {control.kind}" if control.kind else "of all motion"
            raise UsageError(f"The strength {what} is given twice; leave one of them out.")
        found[control.kind] = control.factor
    return found


def overall(controls: Iterable[Strength]) -> float:
    """The factor of all motion."""
    return strengths(controls).get("", 1.0)


def parse_strength(text: str, files: Files) -> tuple[Control, ...]:
    """``"0.5"`` or ``"water=1.5"``. Raises UsageError."""
    word, named, number = text.rpartition("=")
    kind = kind_named(word) if named else ""
    if kind is None:
        raise UsageError(f"There is no kind {word.strip()!r}; known are {', '.join(KINDS)}.")
    try:
        return (Strength(float(number), kind),)
    except ValueError as error:
        raise UsageError(
            f"strength must be a number, or KIND=NUMBER like water=1.5, not {text!r}."
        ) from error


def write_strength(control: Strength) -> tuple[str, ...]:
    """The words that ask for it again."""
    named = f"{control.kind}=" if control.kind else ""
    return "--strength", f"{named}{control.factor:g}"


ENTRY = Entry(
    "strength",
    Strength,
    (
        Option(
            "--strength",
            "Scales the motion (0 = still), or that of a kind: water=1.5; repeatable.",
            parse_strength,
            "[KIND=]FACTOR",
        ),
    ),
    write=write_strength,
    repeats=True,
)
