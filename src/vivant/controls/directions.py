"""Directions in words or degrees: in the picture, and on the ground plane."""

from __future__ import annotations

import math

from vivant.errors import UsageError

IN_PICTURE = {"right": 0.0, "up": 90.0, "left": 180.0, "down": 270.0}
"""Degrees in the picture plane, counter-clockwise."""
ON_GROUND = {"right": 0.0, "away": 90.0, "left": 180.0, "towards": 270.0, "toward": 270.0}
"""Degrees on the ground plane, seen from above; towards the viewer is 270."""


def direction(text: str, words: dict[str, float], what: str) -> float:
    """Degrees 0..360 of a word or a number; ``what`` names it in errors. Raises UsageError."""
    word = text.strip().lower()
    if word in words:
        return words[word]
    try:
        degrees = float(word)
    except ValueError:
        degrees = math.nan
    if not math.isfinite(degrees):
        known = ", ".join(name for name in words if name != "toward")
        raise UsageError(
            f"The direction of {what} is {known} or a number of degrees, not {text!r}."
        )
    return degrees % 360


def word_of(degrees: float, words: dict[str, float]) -> str:
    """The word of a direction where there is one, else its degrees."""
    named = (name for name, angle in words.items() if angle == degrees)
    return next(named, f"{degrees:g}")
