"""Where nothing may change, and where motion is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vivant.asset import Asset, Files
from vivant.controls.entry import Entry, Option
from vivant.errors import UsageError


@dataclass(frozen=True)
class Masked:
    """What `Still` and `Move` share: the ``mask``. Raises UsageError for another asset."""

    mask: Asset

    def __post_init__(self) -> None:
        if self.mask.kind != "mask":
            raise UsageError(f"A mask is asked for, not a {self.mask.kind}.")

    @property
    def asks(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True)
class Still(Masked):
    """White pixels of ``mask`` never change, to the bit; several are joined."""


@dataclass(frozen=True)
class Move(Masked):
    """Motion keeps to the white pixels of ``mask`` and is asked for throughout; several are
    joined."""


def parse_still(text: str, files: Files) -> tuple[Still, ...]:
    """The name of a mask file. Raises UsageError where there is none."""
    return (Still(files.add(Path(text), "mask")),)


STILL = Entry(
    "still",
    Still,
    (Option("--still", "Mask: white never changes; repeatable.", parse_still, "FILE"),),
    write=lambda control: ("--still", control.mask.name or "MASK"),
    repeats=True,
)
MOVE = Entry(
    "move",
    Move,
    (),  # `vivant.controls.kinds` reads --move, which takes a kind as well
    write=lambda control: ("--move", control.mask.name or "MASK"),
    repeats=True,
)
