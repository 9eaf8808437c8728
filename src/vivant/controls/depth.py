"""How near everything is, given as a map instead of being seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vivant.asset import Asset, Files
from vivant.controls.entry import Entry, Option
from vivant.errors import UsageError


@dataclass(frozen=True)
class GivenDepth:
    """The depth ``map`` (`vivant.media.depth`) takes the place of what a network sees. Raises
    UsageError for another asset."""

    map: Asset

    def __post_init__(self) -> None:
        if self.map.kind != "depth":
            raise UsageError(f"depth takes a depth map, not a {self.map.kind}.")

    @property
    def asks(self) -> bool:
        """Always."""
        return True


def parse_depth(text: str, files: Files) -> tuple[GivenDepth, ...]:
    """The name of a depth map. Raises UsageError where there is none."""
    return (GivenDepth(files.add(Path(text), "depth")),)


ENTRY = Entry(
    "depth",
    GivenDepth,
    (
        Option(
            "--depth",
            "Your own depth map (near = white; PNG, EXR, npz).",
            parse_depth,
            "FILE",
        ),
    ),
    write=lambda control: ("--depth", control.map.name or "DEPTH"),
)
