"""Moving as another clip does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vivant.asset import Asset, Files
from vivant.controls.entry import Entry, Option
from vivant.errors import UsageError


@dataclass(frozen=True)
class Like:
    """Move as ``clip`` does. One of the same picture is followed, with the picture's own pixels; of
    one of another picture, constants and directions of the kinds that both show are taken."""

    clip: Asset

    def __post_init__(self) -> None:
        if self.clip.kind != "clip":
            raise UsageError(f"like takes a clip, not a {self.clip.kind}.")

    @property
    def asks(self) -> bool:
        """Always."""
        return True


def parse_like(text: str, files: Files) -> tuple[Like, ...]:
    """The name of a clip. Raises UsageError where there is none."""
    return (Like(files.add(Path(text), "clip")),)


ENTRY = Entry(
    "like",
    Like,
    (Option("--like", "Move as a clip of this or another picture does.", parse_like, "CLIP"),),
    write=lambda control: ("--like", control.clip.name or "CLIP"),
)
