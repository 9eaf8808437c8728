"""The watermark and the recipe: which identifier a clip carries, and whether the two agree."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vivant.clip import Frame, VideoSpec
from vivant.errors import UsageError, VivantError
from vivant.media.decoder import decoded_frames
from vivant.media.formats import Format
from vivant.provenance.watermark.code import IDENTIFIER_BITS, VERSION
from vivant.provenance.watermark.detect import Found, detect
from vivant.provenance.watermark.embed import MIN_SIDE, Carrier, can_mark, mark

ENTRY = "watermark"
REQUIRED = "required"
ASKED, TOO_SMALL = "asked for", f"one frame, too narrow, or a side under {MIN_SIDE} pixels"


@dataclass(frozen=True)
class Examined:
    """What a clip alone tells. ``state``: found, not found, or not examined (``sentence`` says
    why); ``identifier`` of 5 hexadecimal digits where it can be read; ``agrees`` with the recipe
    of the credentials, None where there is nothing to compare; ``score`` of the best peak."""

    state: str
    sentence: str
    identifier: str | None = None
    agrees: bool | None = None
    score: float = 0.0
    scale: float = 1.0
    mirrored: bool = False


def identifier_of(recipe: dict[str, Any]) -> str:
    """First 20 bits of the SHA-256 of a recipe without its own entry, as 5 hexadecimal digits."""
    rest = {name: value for name, value in recipe.items() if name != ENTRY}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[: IDENTIFIER_BITS // 4]


def carrier_of(fmt: Format, lossless: bool) -> Carrier:
    """How files of a format are marked."""
    if fmt.exact(lossless):
        return "exact"
    return "palette" if fmt.palette else "lossy"


def stamped(
    recipe: dict[str, Any], spec: VideoSpec, wanted: bool = True, carrier: Carrier = "exact"
) -> dict[str, Any]:
    """The recipe with an entry that states the mark, and for which kind of file it was made, or
    why there is none.

    Raises UsageError where the mark is not wanted but the operator requires it
    (``VIVANT_WATERMARK=required``).
    """
    if not wanted and os.environ.get("VIVANT_WATERMARK") == REQUIRED:
        raise UsageError(
            "This installation marks every clip (VIVANT_WATERMARK=required);"
            " leave --no-watermark out."
        )
    if wanted and can_mark(spec):
        entry = {"version": VERSION, "identifier": identifier_of(recipe), "carrier": carrier}
        return recipe | {ENTRY: entry}
    return recipe | {ENTRY: {"left_out": TOO_SMALL if wanted else ASKED}}


def stated(recipe: dict[str, Any] | None) -> str | None:
    """The identifier that a recipe states, None where it states none."""
    entry = (recipe or {}).get(ENTRY)
    value = entry.get("identifier") if isinstance(entry, dict) else None
    return value if isinstance(value, str) else None


def marked(frames: Iterable[Frame], spec: VideoSpec, recipe: dict[str, Any]) -> Iterator[Frame]:
    """The frames as they leave: with the mark that the recipe states, else as they are."""
    identifier = stated(recipe)
    if identifier is None:
        return iter(frames)
    said = recipe[ENTRY].get("carrier")
    carrier: Carrier = said if said in ("lossy", "palette") else "exact"
    return mark(frames, spec, int(identifier, 16), bool(recipe.get("loop")), carrier)


def examine(path: Path, recipe: dict[str, Any] | None = None) -> Examined:
    """Look for the mark in a file, or a folder of frames, and compare with the ``recipe`` of its
    credentials, None where there are none. A file that cannot be decoded is not examined."""
    try:
        found = detect(decoded_frames(path))
    except VivantError as error:
        return Examined("not examined", str(error))
    return _judged(found, stated(recipe))


def _judged(found: Found, expected: str | None) -> Examined:
    if not found.found:
        sentence = "The frames carry no watermark of vivant that can still be found."
        if expected is not None:
            sentence = f"The watermark {expected} that the recipe states cannot be found."
        return Examined("not found", sentence, score=found.score)
    said, agrees = found.identifier, None
    sentence = "The frames carry vivant's watermark; its identifier cannot be read."
    if said is not None:
        sentence = f"The frames carry vivant's watermark {said}."
    if said is not None and expected is not None:
        agrees = said == expected
        sentence += " It agrees with the recipe." if agrees else f" The recipe says {expected}."
    return Examined("found", sentence, said, agrees, found.score, found.scale, found.mirrored)
