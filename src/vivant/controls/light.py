"""A light that changes: where it comes from, how warm and how strong it is, shadows and lamps."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

from vivant.asset import Files
from vivant.controls.entry import Control, Entry, Option
from vivant.errors import UsageError


class Change(NamedTuple):
    """``amount`` where none is given; the ``ways`` it may go, the first where none is given."""

    amount: float
    ways: tuple[str, ...] = ()


CHANGES: dict[str, Change] = {
    "sun": Change(0.5, ("left", "right", "up", "down")),
    "clouds": Change(0.5, ("right", "left")),
    "sweep": Change(0.5, ("right", "left")),
    "dusk": Change(0.5),
    "warmer": Change(0.4),
    "cooler": Change(0.4),
    "brighter": Change(0.4),
    "darker": Change(0.4),
    "flicker": Change(0.4),
}
"""By name; `vivant.rendering.illumination` says what each does."""
SAME = {
    "warm": "warmer", "cool": "cooler", "colder": "cooler",
    "bright": "brighter", "lighter": "brighter", "dark": "darker", "dimmer": "darker",
    "cloud": "clouds", "sunset": "dusk", "evening": "dusk", "flickering": "flicker",
}  # fmt: skip
FILLERS = frozenset(
    ["a", "and", "the", "to", "from", "of", "it", "gets", "light", "lamps", "shadow", "shadows"]
)


@dataclass(frozen=True)
class Light:
    """One ``change`` of the light over the clip, by an ``amount`` above 0, up to 1; ``towards`` is
    where to it goes, "" where it goes nowhere. Raises UsageError."""

    change: str
    amount: float
    towards: str = ""

    def __post_init__(self) -> None:
        if self.change not in CHANGES:
            raise UsageError(f"The light cannot do {self.change!r}; it knows {', '.join(CHANGES)}.")
        if not (math.isfinite(self.amount) and 0 < self.amount <= 1):
            raise UsageError(
                f"The amount of {self.change} must be above 0, up to 1, not {self.amount:g}."
            )
        ways = CHANGES[self.change].ways
        if self.towards not in (ways or ("",)):
            known = f"goes {' or '.join(ways)}" if ways else "goes nowhere"
            raise UsageError(f"The light's {self.change} {known}, not {self.towards!r}.")

    @property
    def asks(self) -> bool:
        """Always."""
        return True

    @property
    def said(self) -> str:
        """In words."""
        return " ".join(part for part in (self.change, self.towards, f"{self.amount:g}") if part)


def parse_light(text: str, files: Files) -> tuple[Control, ...]:
    """``"sun left 0.3, warmer"``, ``"sweep left to right"``, ``"flicker 20%"``. Raises UsageError
    naming every word that is not understood."""
    words = re.findall(r"[^\s,;]+", text.lower())
    starts = [k for k, word in enumerate(words) if SAME.get(word, word) in CHANGES]
    unknown = [word for word in words[: starts[0] if starts else None] if word not in FILLERS]
    if not starts or unknown:
        what = f"{unknown[0]!r} is not understood" if unknown else "nothing is named"
        raise UsageError(f"Of the light {what}; it knows {', '.join(CHANGES)}.")
    ends = (*starts[1:], len(words))
    return tuple(_change(words[a:b]) for a, b in zip(starts, ends, strict=True))


def _change(words: list[str]) -> Light:
    """One change from its name and what follows it."""
    name = SAME.get(words[0], words[0])
    amount, ways = CHANGES[name]
    towards = ways[0] if ways else ""
    said = False
    for word in words[1:]:
        if word in FILLERS:
            continue
        number = _number(word)
        if number is not None:
            amount = number
        elif word in ways:  # of "left to right" the last counts
            towards, said = word, True
        else:
            more = f"; {name} goes {', '.join(ways)}" if ways else ""
            raise UsageError(f"{word!r} is not understood of the light's {name}{more}.")
    if name == "sun" and not said:
        raise UsageError(f"Say where to the sun goes: {', '.join(ways)}.")
    return Light(name, amount, towards)


def _number(word: str) -> float | None:
    try:
        return float(word[:-1]) / 100 if word.endswith("%") else float(word)
    except ValueError:
        return None


def write_light(control: Light) -> tuple[str, ...]:
    """The words that ask for it again."""
    return "--light", control.said


ENTRY = Entry(
    "light",
    Light,
    (
        Option(
            "--light",
            'The light changes: "sun left 0.3", "clouds right", "sweep left to right", dusk,'
            ' warmer, cooler, brighter, darker, "flicker 0.2"; repeatable.',
            parse_light,
            "CHANGE",
        ),
    ),
    write=write_light,
    repeats=True,
)
