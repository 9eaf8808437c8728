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
