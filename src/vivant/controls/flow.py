"""Which way a kind flows in the picture."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from vivant.asset import Files
from vivant.controls.directions import IN_PICTURE, direction, word_of
from vivant.controls.entry import Control, Entry, Option
from vivant.errors import UsageError
from vivant.kinds import KINDS, kind_named

FLOWING = ("sky", "water", "fall", "smoke")


@dataclass(frozen=True)
class Flow:
    """Everything of ``kind`` (sky, water, fall or smoke) flows ``degrees`` in the picture plane: 0
    to the right, 90 up, 180 left, 270 down. Raises UsageError for what does not flow."""

    kind: str
    degrees: float

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(f"There is no kind {self.kind!r}; known are {', '.join(KINDS)}.")
        if self.kind not in FLOWING:
            hint = (
                "--wind turns it"
                if self.kind in ("plant", "cloth", "fire")
                else "a stroke drives it"
            )
            raise UsageError(f"A {self.kind} does not flow ({', '.join(FLOWING)} do); {hint}.")
        if not math.isfinite(self.degrees):
            raise UsageError("The direction of a flow must be a number of degrees.")

    @property
    def asks(self) -> bool:
        """Always."""
        return True


def parse_flow(text: str, files: Files) -> tuple[Control, ...]:
    """``"water=left"``. Raises UsageError."""
    word, named, where = text.partition("=")
    kind = kind_named(word)
    if not named or kind is None:
        raise UsageError(
            f"A flow is KIND=DIRECTION like water=left, not {text!r}; {', '.join(FLOWING)} flow."
        )
    return (Flow(kind, direction(where, IN_PICTURE, f"the {kind}")),)


def flows(controls: Iterable[Flow]) -> dict[str, float]:
    """Degrees by kind. Raises UsageError where a kind is given twice."""
    found: dict[str, float] = {}
    for control in controls:
        if control.kind in found:
            raise UsageError(f"The flow of {control.kind} is given twice; leave one of them out.")
        found[control.kind] = control.degrees
    return found


ENTRY = Entry(
    "flow",
    Flow,
    (
        Option(
            "--flow",
            "Which way a kind flows: water=left, sky=right, smoke=60 (degrees); repeatable.",
            parse_flow,
            "KIND=DIRECTION",
        ),
    ),
    write=lambda control: ("--flow", f"{control.kind}={word_of(control.degrees, IN_PICTURE)}"),
    repeats=True,
)
