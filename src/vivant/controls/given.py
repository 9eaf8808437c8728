"""Motion that is given as a field file instead of being sampled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vivant.asset import Asset, Files
from vivant.controls.entry import Entry, Option
from vivant.errors import UsageError


@dataclass(frozen=True)
class GivenField:
    """Render the motion field of ``file`` (.vivant), perhaps edited, instead of sampling one."""

    file: Asset

    def __post_init__(self) -> None:
        if self.file.kind != "field":
            raise UsageError(f"field takes a motion field, not a {self.file.kind}.")

    @property
    def asks(self) -> bool:
        """Always."""
        return True


def parse_field(text: str, files: Files) -> tuple[GivenField, ...]:
    """The name of a field file. Raises UsageError where there is none."""
    return (GivenField(files.add(Path(text), "field")),)


ENTRY = Entry(
    "field",
    GivenField,
    (
        Option(
            "--field",
            "Render this motion or field (a saved file); nothing is sampled.",
            parse_field,
            "FILE",
        ),
    ),
    write=lambda control: ("--field", control.file.name or "FIELD"),
)
