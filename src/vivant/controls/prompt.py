"""A prompt: a small grammar over kinds, directions, manners, camera moves and light.

It yields the same controls as the options do, and refuses word by word what it does not know:
``docs/prompt.md`` lists it. Clauses are separated by commas, semicolons, full stops or "and".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vivant.asset import Files
from vivant.controls.camera import MOVES, parse_camera
from vivant.controls.entry import Control, Option
from vivant.controls.flow import FLOWING, Flow
from vivant.controls.kinds import HoldKind, MoveKind
from vivant.controls.light import CHANGES, Light
from vivant.controls.light_words import about_light, read_light
from vivant.controls.loop import Loop
from vivant.controls.strength import Strength
from vivant.controls.wind import SPEEDS, Wind
from vivant.controls.words import Words
from vivant.errors import UsageError
from vivant.kinds import kind_named

LONGEST = 500


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


FILLERS = _set("a an the is are be it its in on of with very some slightly all everything to")
STILL = _set("hold holds still freeze frozen static keep keeps stand stands stays stay")
VERBS = _set(
    "drift drifts drifting flow flows flowing run runs running move moves moving rise rises rising"
    " fall falls falling blow blows blowing go goes going sway sways swaying burn burns burning"
    " wave waves waving ripple ripples rippling pour pours pouring"
)
WAYS = {
    "left": 180.0, "leftwards": 180.0, "right": 0.0, "rightwards": 0.0, "up": 90.0,
    "upwards": 90.0, "down": 270.0, "downwards": 270.0,
}  # fmt: skip
GROUND = {"left": 180.0, "right": 0.0, "towards": 270.0, "toward": 270.0, "away": 90.0}
RISES = {"rise": 90.0, "rises": 90.0, "rising": 90.0}
MANNERS = {
    "calm": 0.4, "calmly": 0.4, "gentle": 0.5, "gently": 0.5, "soft": 0.5, "softly": 0.5,
    "slow": 0.6, "slowly": 0.6, "slower": 0.6, "quiet": 0.4, "lively": 1.4, "fast": 1.6,
    "faster": 1.6, "quickly": 1.6, "rough": 1.8, "strong": 1.6, "strongly": 1.6, "wild": 2.2,
    "wildly": 2.2, "stormy": 2.2,
}  # fmt: skip
WINDS = {"no": 0.0, "gentle": 2.0, "soft": 2.0, "weak": 2.0, "wild": 20.0, **SPEEDS}
PACES = {"slow": 0.6, "slowly": 0.6, "gentle": 0.6, "gently": 0.6, "fast": 2.0, "quick": 2.0}
LOOPS = _set("loop loops looping seamless seamlessly endless")


def parse_prompt(text: str, files: Files) -> tuple[Control, ...]:
    """Controls of a prompt; see ``docs/prompt.md``. Raises UsageError naming every word that is not
    understood, and clauses that contradict each other."""
    if not re.search(r"\w", text):
        raise UsageError("The prompt is empty; write something like: the clouds drift left.")
    if len(text) > LONGEST:
        raise UsageError(f"A prompt has at most {LONGEST} characters, not {len(text)}.")
    found: list[Control] = []
    for clause in re.split(r"[,;.\n]+|\band\b|\bwhile\b|\bbut\b", text.lower()):
        words = re.findall(r"[^\s]+", clause)
        if words:
            found += _clause(words, clause.strip())
    if not found:
        raise UsageError(f"The prompt {text.strip()!r} says nothing of what moves or holds.")
    _check_contradictions(found)
    return tuple(dict.fromkeys(found))


def _clause(words: list[str], said: str) -> list[Control]:
    """The controls of one clause."""
    for read in (_camera, _loop, _wind, _light):
        controls = read(words, said)
        if controls:
            return controls
    return _kinds(words, said)


def _camera(words: list[str], said: str) -> list[Control]:
    """``slow push-in``, ``the camera pans left``, ``zoom in``."""
    joined = " ".join(word for word in words if word not in FILLERS and word != "camera")
    pace = 1.0
    for word, factor in PACES.items():
        if re.search(rf"\b{word}\b", joined):
            pace, joined = factor, re.sub(rf"\b{word}\b", "", joined)
    plain = re.sub(r"\s+", "-", joined.strip())
    plain = re.sub(r"^(push|pull|pan|roll|zoom)(e?s|ning|ing|n)?-", r"\1-", plain)
    plain = {"zoom-in": "push-in", "zoom-out": "pull-out"}.get(plain, plain)
    if plain not in MOVES:
        return []
    return [parse_camera(f"{plain} {MOVES[plain][2] * pace:g}")]


def _loop(words: list[str], said: str) -> list[Control]:
    rest = [word for word in words if word not in FILLERS]
    return [Loop()] if rest and all(word in LOOPS for word in rest) else []


def _wind(words: list[str], said: str) -> list[Control]:
    """``strong wind from the left``, ``wind to the right``."""
    if not {"wind", "breeze"} & set(words):
        return []
    degrees, speed, unknown = None, None, []
    known = FILLERS | VERBS | {"wind", "breeze", "from"}
    for word in words:
        if word in GROUND:
            turned = 180.0 if "from" in words else 0.0
            degrees = (GROUND[word] + turned) % 360
        elif word in WINDS:
            speed = WINDS[word]
        elif word not in known:
            unknown.append(word)
    _refuse(unknown, said, "of the wind: left, right, towards, away, and " + ", ".join(SPEEDS))
    if degrees is None and speed is None:
        raise UsageError(
            f"The prompt says nothing of the wind in {said!r}; say strong, or where to."
        )
    return [Wind(270.0 if degrees is None else degrees, speed)]


def _light(words: list[str], said: str) -> list[Control]:
    """``the sun goes left``, ``dusk falls``, ``the light flickers``."""
    plain = FILLERS - {"slightly"}
    rest = [word for word in words if word not in plain]
    change = about_light(rest)
    if change is None:
        return []
    if not change:
        raise UsageError(
            f"The prompt does not say what becomes of the light in {said!r}; it knows"
            f" {', '.join(CHANGES)}."
        )
    ways = CHANGES[change].ways
    found, unknown = read_light(change, rest)
    _refuse(unknown, said, f"of the light's {' '.join((change, *ways))}")
    if found is None:
        raise UsageError(f"The prompt does not say where to the sun goes in {said!r}.")
    return [found]


def _kinds(words: list[str], said: str) -> list[Control]:
    """``hold the trees``, ``the sea is calm``, ``clouds drift left``, ``only the water moves``."""
    kinds = [kind for word in words if (kind := kind_named(word)) is not None]
    rest = [w for w in words if kind_named(w) is None and w not in FILLERS]
    still = [w for w in rest if w in STILL]
    unknown = [w for w in rest if not _known(w)]
    _refuse(unknown, said, "of a kind, a direction or a manner")
    if not kinds:
        raise UsageError(f"The prompt names nothing that could move or hold in {said!r}.")
    if still:
        return [HoldKind(kind) for kind in kinds]
    return list(_moving(kinds, rest, said))


def _moving(kinds: list[str], rest: list[str], said: str) -> Iterator[Control]:
    ways = [WAYS[word] for word in rest if word in WAYS] or [
        RISES[word] for word in rest if word in RISES
    ]
    factors = [MANNERS[word] for word in rest if word in MANNERS]
    for kind in kinds:
        if "only" in rest:
            yield MoveKind(kind)
        if ways and kind in FLOWING:
            yield Flow(kind, ways[0])
        elif ways and not (kind == "fire" and ways[0] == 90.0):
            raise UsageError(
                f"A {kind} cannot be sent {said!r}: {', '.join(FLOWING)} flow; plants and cloth"
                " follow the wind, and a stroke drives a thing."
            )
        for factor in factors:
            yield Strength(factor, kind)
        if not (ways or factors or "only" in rest or set(rest) & VERBS):
            raise UsageError(f"The prompt does not say what becomes of the {kind} in {said!r}.")


def _known(word: str) -> bool:
    groups = (STILL, VERBS, WAYS, RISES, MANNERS, {"only", "just"})
    return any(word in group for group in groups)


def _refuse(unknown: list[str], said: str, where: str) -> None:
    if unknown:
        named = ", ".join(repr(word) for word in dict.fromkeys(unknown))
        raise UsageError(
            f"The prompt's {named} in {said!r} is not understood {where}; see docs/prompt.md."
        )


def _check_contradictions(controls: list[Control]) -> None:
    held = {c.kind for c in controls if isinstance(c, HoldKind)}
    for control in controls:
        if isinstance(control, Flow | MoveKind | Strength) and control.kind in held:
            raise UsageError(f"The prompt lets the {control.kind} hold and move at once.")
    for kind in (Flow, Strength):
        seen: dict[str, Control] = {}
        for control in controls:
            if isinstance(control, kind) and seen.setdefault(control.kind, control) != control:
                raise UsageError(f"The prompt says two things of the {control.kind}.")
    if len({c for c in controls if isinstance(c, Wind)}) > 1:
        raise UsageError("The prompt says two things of the wind.")
    lights = dict.fromkeys(c for c in controls if isinstance(c, Light))
    changes = [light.change for light in lights]
    for change in changes:
        if changes.count(change) > 1:
            raise UsageError(f"The prompt says two things of the light: {change}.")


OPTION = Option(
    "--prompt",
    'Words: "clouds drift left, the sea is calm, hold the trees, slow push-in, dusk falls".',
    parse_prompt,
    "TEXT",
)
"""It has no entry of its own: what is recorded are the controls that it yields."""


def read_option(
    option: Option, text: str, files: Files, honoured: tuple[str, ...]
) -> tuple[Control, ...]:
    """The controls of an option for a model that honours ``honoured``: one that honours words gets
    the prompt as it is. Raises UsageError."""
    if option.flag == OPTION.flag and "words" in honoured:
        return (Words(text),)
    return option.read(text, files)
