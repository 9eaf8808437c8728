"""Key frames of other scenes: what both have morphs, the rest dissolves."""

from __future__ import annotations

from dataclasses import dataclass

from vivant.asset import Files
from vivant.controls.entry import Entry, Option


@dataclass(frozen=True)
class Transition:
    """Between key frames that show different scenes, kinds that both have morph into each other and
    the rest dissolves; without it such key frames are refused."""

    @property
    def asks(self) -> bool:
        """Always."""
        return True


def parse_transition(text: str, files: Files) -> tuple[Transition, ...]:
    """The switch."""
    return (Transition(),)


ENTRY = Entry(
    "transition",
    Transition,
    (Option("--transition", "Pass into a --keyframe of another scene.", parse_transition),),
    write=lambda control: ("--transition",),
)
