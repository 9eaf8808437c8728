"""What every control brings: a frozen dataclass, its words on the command line, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from vivant.asset import Files


@runtime_checkable
class Control(Protocol):
    """One thing that is asked for: a frozen dataclass of plain values and assets."""

    @property
    def asks(self) -> bool:
        """Whether it changes anything at all; strength 1 does not."""
        ...


@dataclass(frozen=True)
class Option:
    """One option of the command line, also a keyword of the Python facade.

    ``flag`` such as "--stroke"; ``metavar`` names its value, "" for a switch; ``read`` turns the
    value's text ("" for a switch) into controls, taking in the files it names.
    """

    flag: str
    help: str
    read: Callable[[str, Files], tuple[Control, ...]]
    metavar: str = ""

    @property
    def keyword(self) -> str:
        """The option's name in Python."""
        return self.flag.lstrip("-").replace("-", "_")


@dataclass(frozen=True)
class Entry:
    """One row of the table of controls.

    ``name`` is the control's in JSON, in records and among a model's capabilities; ``kind`` its
    class; ``write`` gives the words of the command line that ask for it; ``repeats`` whether a
    request may hold several.
    """

    name: str
    kind: type[Any]
    options: tuple[Option, ...]
    write: Callable[[Any], tuple[str, ...]]
    repeats: bool = False
