"""A clip that begins again without a seam."""

from __future__ import annotations

from dataclasses import dataclass

from vivant.asset import Files
from vivant.controls.entry import Entry, Option


@dataclass(frozen=True)
class Loop:
    """After the last frame comes the first, without a jump."""

    @property
    def asks(self) -> bool:
        """Always."""
        return True


def parse_loop(text: str, files: Files) -> tuple[Loop, ...]:
    """The switch."""
    return (Loop(),)


ENTRY = Entry(
    "loop",
    Loop,
    (Option("--loop", "Make the clip loop without a seam.", parse_loop),),
    write=lambda control: ("--loop",),
)
