"""Hold or move everything of a kind that is seen: sky, water, plant, being, ..."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vivant.asset import Files
from vivant.controls.entry import Control, Entry, Option
from vivant.controls.mask import Move, Still
from vivant.errors import UsageError
from vivant.kinds import KINDS, kind_named


@dataclass(frozen=True)
class Kind:
    """What `HoldKind` and `MoveKind` share: the ``kind``, one of `vivant.kinds.KINDS`. Raises
    UsageError for another word."""

    kind: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(f"There is no kind {self.kind!r}; known are {', '.join(KINDS)}.")

    @property
    def asks(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True)
class HoldKind(Kind):
    """Everything of the kind holds, to the bit."""


@dataclass(frozen=True)
class MoveKind(Kind):
    """Motion keeps to this kind and is asked for throughout; several, and masks, are joined."""


def parse_hold(text: str, files: Files) -> tuple[Control, ...]:
    """A kind's name, or that of a mask file; a file of that name wins. Raises UsageError."""
    kind = _kind(text, files)
    return (HoldKind(kind),) if kind else (Still(files.add(_mask(text, files), "mask")),)


def parse_move(text: str, files: Files) -> tuple[Control, ...]:
    """A kind's name, or that of a mask file; a file of that name wins. Raises UsageError."""
    kind = _kind(text, files)
    return (MoveKind(kind),) if kind else (Move(files.add(_mask(text, files), "mask")),)


def _kind(text: str, files: Files) -> str | None:
    return None if files.has(Path(text)) else kind_named(text)


def _mask(text: str, files: Files) -> Path:
    path = Path(text)
    if not files.has(path) and not path.suffix:
        raise UsageError(
            f"{text!r} is neither a mask file nor a kind; kinds are {', '.join(KINDS)}."
        )
    return path


HOLD = Entry(
    "hold",
    HoldKind,
    (Option("--hold", "A kind (sky, being, ...) or a mask: holds to the bit; repeatable.",
            parse_hold, "KIND|FILE"),),
    write=lambda control: ("--hold", control.kind),
    repeats=True,
)  # fmt: skip
MOVE = Entry(
    "move-kind",
    MoveKind,
    (Option("--move", "A kind or a mask: it moves, the rest holds; repeatable.",
            parse_move, "KIND|FILE"),),
    write=lambda control: ("--move", control.kind),
    repeats=True,
)  # fmt: skip
