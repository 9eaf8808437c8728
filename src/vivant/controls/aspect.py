"""The shape of the clip: a part of the picture that keeps the main thing."""

from __future__ import annotations

from dataclasses import dataclass

from vivant.asset import Files
from vivant.controls.entry import Entry, Option
from vivant.errors import UsageError

MOST = 4.0
"""Of the longer to the shorter side."""
LONGEST = 100


@dataclass(frozen=True)
class Aspect:
    """``width`` to ``height``, whole numbers up to 100. Raises UsageError outside of that, and
    beyond 4:1."""

    width: int
    height: int

    def __post_init__(self) -> None:
        sides = (self.width, self.height)
        if not all(1 <= side <= LONGEST for side in sides) or max(sides) > MOST * min(sides):
            raise UsageError(
                f"The aspect {self.width}:{self.height} is out of range; whole numbers up to"
                f" {LONGEST} and shapes up to {MOST:g}:1 are taken, such as 9:16, 4:5 or 1:1."
            )

    @property
    def asks(self) -> bool:
        """Always."""
        return True

    @property
    def ratio(self) -> float:
        """Width over height."""
        return self.width / self.height

    def __str__(self) -> str:
        return f"{self.width}:{self.height}"


def parse_aspect(text: str, files: Files) -> tuple[Aspect, ...]:
    """``"9:16"``. Raises UsageError."""
    wide, colon, high = text.strip().partition(":")
    if not (colon and wide.isdecimal() and high.isdecimal()):
        raise UsageError(f"The aspect {text!r} is not understood; write 9:16, 4:5 or 1:1.")
    return (Aspect(int(wide), int(high)),)


ENTRY = Entry(
    "aspect",
    Aspect,
    (
        Option(
            "--aspect",
            "Shape of the clip (9:16, 4:5, 1:1, ...), cut so that the main thing stays.",
            parse_aspect,
            "W:H",
        ),
    ),
    write=lambda control: ("--aspect", str(control)),
)
