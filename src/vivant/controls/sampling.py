"""How a video model samples: the number of its steps, and how closely it follows its inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vivant.asset import Files
from vivant.controls.entry import Control, Entry, Option
from vivant.errors import UsageError

MOST_STEPS = 1000
MOST_GUIDANCE = 50.0


@dataclass(frozen=True)
class Steps:
    """Sample in ``count`` steps, 1 to 1000. Raises UsageError outside of that."""

    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST_STEPS:
            raise UsageError(f"steps must be from 1 to {MOST_STEPS}, not {self.count}.")

    @property
    def asks(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True)
class Guidance:
    """Follow prompt or picture by ``scale`` (classifier-free guidance; Ho and Salimans, 2022):
    0 to 50, 1 = as trained. Raises UsageError outside of that."""

    scale: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scale) and 0 <= self.scale <= MOST_GUIDANCE):
            raise UsageError(
                f"guidance must be from 0 up to {MOST_GUIDANCE:g}, not {self.scale:g}."
            )

    @property
    def asks(self) -> bool:
        """Always."""
        return True


def parse_steps(text: str, files: Files) -> tuple[Control, ...]:
    """``"30"``. Raises UsageError."""
    try:
        return (Steps(int(text)),)
    except ValueError as error:
        raise UsageError(f"steps must be a whole number, not {text!r}.") from error


def parse_guidance(text: str, files: Files) -> tuple[Control, ...]:
    """``"5"`` or ``"3.5"``. Raises UsageError."""
    try:
        return (Guidance(float(text)),)
    except ValueError as error:
        raise UsageError(f"guidance must be a number, not {text!r}.") from error


STEPS = Entry(
    "steps",
    Steps,
    (Option("--steps", "Video models: steps of sampling.", parse_steps, "COUNT"),),
    write=lambda control: ("--steps", str(control.count)),
)
GUIDANCE = Entry(
    "guidance",
    Guidance,
    (
        Option(
            "--guidance", "Video models: how closely prompt and picture are followed.",
            parse_guidance, "SCALE",
        ),
    ),
    write=lambda control: ("--guidance", f"{control.scale:g}"),
)  # fmt: skip
