"""What a prompt says of the light: ``the sun goes left``, ``dusk falls``, ``the lamps flicker``."""

from __future__ import annotations

from vivant.controls.light import CHANGES, Light

NAMES = {
    "sun": "sun", "sunlight": "sun", "sunshine": "sun",
    "dusk": "dusk", "sunset": "dusk", "evening": "dusk", "twilight": "dusk",
    "shadow": "clouds", "shadows": "clouds",
    "beam": "sweep", "beams": "sweep", "spotlight": "sweep",
}  # fmt: skip
"""What a clause may be about, whatever else it says, and the change that is meant."""
BECOMES = {
    "warmer": "warmer", "warm": "warmer", "warms": "warmer",
    "cooler": "cooler", "cool": "cooler", "colder": "cooler", "cools": "cooler",
    "brighter": "brighter", "bright": "brighter", "brightens": "brighter", "lighter": "brighter",
    "darker": "darker", "dark": "darker", "darkens": "darker", "dims": "darker",
    "dimmer": "darker",
    "flicker": "flicker", "flickers": "flicker", "flickering": "flicker",
}  # fmt: skip
"""What the light as a whole may do."""
SUBJECTS = frozenset(["light", "lights", "lamp", "lamps", "candle", "candles", "picture", "scene"])
"""What does it; left out, it is the light as well."""
LIGHTS = frozenset(["light", "lights", "lamp", "lamps"])
"""Those that are nothing but light."""
FLAMES = frozenset(["fire", "flame", "flames"])
"""Kinds that flicker, too."""
WAYS = {
    "left": "left", "leftwards": "left", "right": "right", "rightwards": "right",
    "up": "up", "upwards": "up", "above": "up", "rises": "up", "rising": "up", "climbs": "up",
    "down": "down", "downwards": "down", "below": "down", "sinks": "down", "sinking": "down",
    "sets": "down", "setting": "down",
}  # fmt: skip
OTHER = {"left": "right", "right": "left"}
AMOUNTS = {
    "slightly": 0.5, "gently": 0.5, "softly": 0.5, "gentle": 0.5, "soft": 0.5, "faintly": 0.5,
    "strongly": 1.6, "strong": 1.6, "much": 1.6, "wildly": 2.0,
}  # fmt: skip
"""Times the usual amount of a change; it is 1 at most."""
FILLERS = frozenset([
    "comes", "come", "coming", "falls", "falling", "goes", "going", "go", "moves", "moving", "move",
    "wanders", "wander", "passes", "pass", "passing", "drifts", "drift", "drifting", "shines",
    "shining", "gets", "get", "grows", "grow", "becomes", "turns", "turning", "sweeps", "sweep",
    "sweeping", "from", "over", "across", "through",
])  # fmt: skip
ALSO = {"clouds": frozenset(["cloud", "clouds"]), "flicker": FLAMES}
"""Words that go with one change only."""


def about_light(words: list[str]) -> str | None:
    """The change that a clause of a prompt is about, "" where it is about the light and names none,
    None where it is about something else."""
    for word in words:
        if word in NAMES:
            return NAMES[word]
    if {"light", "sweeps"} <= set(words):
        return "sweep"
    does = [BECOMES[word] for word in words if word in BECOMES]
    told = SUBJECTS & set(words) or set(words) <= BECOMES.keys() | AMOUNTS.keys() | FILLERS
    if does and (told or (does[0] == "flicker" and FLAMES & set(words))):
        return does[0]
    return "" if LIGHTS & set(words) else None


def read_light(change: str, words: list[str]) -> tuple[Light | None, list[str]]:
    """What a clause asks of a ``change``, None where the way it goes is missing; and the words that
    are not understood of it."""
    usual, ways = CHANGES[change]
    unknown = [word for word in words if not _known(word, change, ways)]
    said = [WAYS[word] for word in words if word in WAYS]
    if unknown or (change == "sun" and not said):
        return None, unknown
    towards = _towards(change, said, "from" in words) if ways else ""
    factor = max((AMOUNTS[word] for word in words if word in AMOUNTS), default=1.0)
    return Light(change, round(min(1.0, usual * factor), 3), towards), []


def _known(word: str, change: str, ways: tuple[str, ...]) -> bool:
    if word in WAYS:
        return WAYS[word] in ways
    named = NAMES.get(word) == change or BECOMES.get(word) == change
    also = SUBJECTS | FILLERS | ALSO.get(change, frozenset())
    return named or word in also or word in AMOUNTS


def _towards(change: str, said: list[str], come_from: bool) -> str:
    """Where to it goes: of "from left to right" the last counts, and what comes from the left goes
    to the right; the sun itself is where its light comes from."""
    if not said:
        return CHANGES[change].ways[0]
    turned = come_from and len(said) == 1 and change != "sun"
    return OTHER[said[0]] if turned else said[-1]
