"""What becomes of a video model's clip: how it is rendered, and whether its colours are held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vivant.asset import Files
from vivant.controls.entry import Control, Entry, Option
from vivant.errors import UsageError

WAYS = ("field", "hybrid", "model")


@dataclass(frozen=True)
class Rendered:
    """``how`` the clip is rendered: "hybrid" = its frames, brought to the picture's size and
    colours, with the picture's detail wherever the clip's motion carries it; "model" = the
    same, but the detail gives way to the model's own; "field" = the picture alone, moved as the
    clip moves. Raises UsageError for another word."""

    how: Literal["field", "hybrid", "model"] = "hybrid"

    def __post_init__(self) -> None:
        if self.how not in WAYS:
            raise UsageError(f"render must be one of {', '.join(WAYS)}, not {self.how!r}.")

    @property
    def asks(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True)
class SteadyColour:
    """Undo the drift of the clip's colours away from its first frame's."""

    @property
    def asks(self) -> bool:
        """Always."""
        return True


def parse_rendered(text: str, files: Files) -> tuple[Control, ...]:
    """``"hybrid"``. Raises UsageError."""
    return (Rendered(text.strip()),)  # type: ignore[arg-type] # checked there


RENDERED = Entry(
    "render",
    Rendered,
    (
        Option(
            "--render",
            "Video models: hybrid (its frames with the picture's detail), model (its own detail) or"
            " field (the picture moved as they move).",
            parse_rendered,
            "WAY",
        ),
    ),
    write=lambda control: ("--render", control.how),
)
STEADY = Entry(
    "steady-colour",
    SteadyColour,
    (
        Option(
            "--steady-colour", "Video models: undo the drift of colours.",
            lambda text, files: (SteadyColour(),),
        ),
    ),
    write=lambda control: ("--steady-colour",),
)  # fmt: skip
