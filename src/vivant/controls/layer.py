"""Only one layer leaves, on nothing: a kind or a thing, with its transparency."""

from __future__ import annotations

from dataclasses import dataclass

from vivant.asset import Files
from vivant.controls.entry import Entry, Option
from vivant.errors import UsageError
from vivant.kinds import KINDS, kind_named


@dataclass(frozen=True)
class Layer:
    """Everything of a ``kind``, or the thing of a ``number`` (as `vivant see` counts them). Raises
    UsageError unless it is one of the two."""

    kind: str = ""
    number: int | None = None

    def __post_init__(self) -> None:
        if bool(self.kind) == (self.number is not None):
            raise UsageError("A layer is a kind or the number of a thing, one of the two.")
        if self.kind and self.kind not in KINDS:
            raise UsageError(f"There is no kind {self.kind!r}; known are {', '.join(KINDS)}.")
        if self.number is not None and self.number < 0:
            raise UsageError(f"Things are counted from 0, so there is none of {self.number}.")

    @property
    def asks(self) -> bool:
        """Always."""
        return True


def parse_layer(text: str, files: Files) -> tuple[Layer, ...]:
    """``"being"`` or ``"3"``. Raises UsageError."""
    word = text.strip()
    if word.isdecimal():
        return (Layer(number=int(word)),)
    kind = kind_named(word)
    if kind is None:
        raise UsageError(
            f"There is no kind {word!r}; known are {', '.join(KINDS)}, or give the number that"
            " `vivant see` tells of a thing."
        )
    return (Layer(kind),)


def write_layer(control: Layer) -> tuple[str, ...]:
    """The words that ask for it again."""
    return "--layer", control.kind or str(control.number)


ENTRY = Entry(
    "layer",
    Layer,
    (
        Option(
            "--layer",
            "Only this kind or thing (its number in `vivant see`), on nothing: prores, webm, png,"
            " webp.",
            parse_layer,
            "KIND|NUMBER",
        ),
    ),
    write=write_layer,
)
