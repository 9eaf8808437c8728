"""The twelve kinds of thing a picture is made of, and the four characters of water."""

from __future__ import annotations

KINDS = (
    "sky",
    "water",
    "fall",
    "fire",
    "smoke",
    "plant",
    "cloth",
    "being",
    "vehicle",
    "built",
    "ground",
    "object",
)
"""Kinds in the order of every array of kinds; `fall` is falling water, `cloth` also hair."""

WATERS = ("still", "river", "sea", "surf")
"""Characters of a water body, in the order of every array of characters."""

INDEX = {name: k for k, name in enumerate(KINDS)}
"""Kind to its place in `KINDS`."""

WORDS = {
    "cloud": "sky",
    "clouds": "sky",
    "sea": "water",
    "lake": "water",
    "river": "water",
    "waterfall": "fall",
    "flame": "fire",
    "flames": "fire",
    "steam": "smoke",
    "fog": "smoke",
    "mist": "smoke",
    "plants": "plant",
    "tree": "plant",
    "trees": "plant",
    "grass": "plant",
    "flower": "plant",
    "flowers": "plant",
    "hair": "cloth",
    "flag": "cloth",
    "person": "being",
    "people": "being",
    "animal": "being",
    "animals": "being",
    "car": "vehicle",
    "cars": "vehicle",
    "boat": "vehicle",
    "boats": "vehicle",
    "building": "built",
    "buildings": "built",
    "house": "built",
    "mountain": "ground",
    "mountains": "ground",
    "road": "ground",
    "things": "object",
}
"""What people say, and the kind that is meant."""

HOLDING = ("being", "vehicle", "built", "ground", "object")
"""Kinds that stay where they are unless something is asked of them."""


def kind_named(word: str) -> str | None:
    """The kind that ``word`` names, None where it names none."""
    word = word.strip().lower()
    return word if word in KINDS else WORDS.get(word)
