"""What a video model starts from: a draft of the built-in model, or noise that moves with it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vivant.asset import Files
from vivant.controls.entry import Control, Entry, Option
from vivant.errors import UsageError


@dataclass(frozen=True)
class Draft:
    """Start from the built-in model's clip of the same picture; ``strength`` above 0 (kept) to 1
    (forgotten) says how much of it may change. Raises UsageError outside of that."""

    strength: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.strength) and 0 < self.strength <= 1):
            raise UsageError(f"draft must be above 0 and at most 1, not {self.strength:g}.")

    @property
    def asks(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True)
class MovedNoise:
    """Start from noise that is carried along by the built-in model's motion of the picture
    ("Go-with-the-Flow"; Burgert et al., CVPR 2025)."""

    @property
    def asks(self) -> bool:
        """Always."""
        return True


def parse_draft(text: str, files: Files) -> tuple[Control, ...]:
    """``"0.4"``. Raises UsageError."""
    try:
        return (Draft(float(text)),)
    except ValueError as error:
        raise UsageError(f"draft must be a number such as 0.4, not {text!r}.") from error


DRAFT = Entry(
    "draft",
    Draft,
    (
        Option(
            "--draft", "Video models: start from the built-in model's clip; 0.4 changes a part.",
            parse_draft, "STRENGTH",
        ),
    ),
    write=lambda control: ("--draft", f"{control.strength:g}"),
)  # fmt: skip
NOISE = Entry(
    "moved-noise",
    MovedNoise,
    (
        Option(
            "--moved-noise", "Video models: start from noise that moves like the built-in clip.",
            lambda text, files: (MovedNoise(),),
        ),
    ),
    write=lambda control: ("--moved-noise",),
)  # fmt: skip
