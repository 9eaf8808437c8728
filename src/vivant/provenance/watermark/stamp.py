"""The watermark and the record: which identifier a clip carries, and whether the two agree."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vivant.clip import Frame, VideoSpec
from vivant.errors import VivantError
from vivant.media.decoder import decoded_frames
from vivant.media.formats import Format
from vivant.provenance.watermark.code import IDENTIFIER_BITS, VERSION
from vivant.provenance.watermark.detect import Found, detect
from vivant.provenance.watermark.embed import MIN_SIDE, Carrier, can_mark, mark

ENTRY = "watermark"
ASKED, TOO_SMALL = "asked for", f"one frame, too narrow, or a side under {MIN_SIDE} pixels"


@dataclass(frozen=True)
class Examined:
    """What a clip alone tells. ``state``: found, not found, or not examined (``sentence`` says
    why); ``identifier`` of 5 hexadecimal digits where it can be read; ``agrees`` with the record
    of the credentials, None where there is nothing to compare; ``score`` of the best peak."""

    state: str
    sentence: str
    identifier: str | None = None
    agrees: bool | None = None
    score: float = 0.0
    scale: float = 1.0
    mirrored: bool = False


def identifier_of(record: dict[str, Any]) -> str:
    """First 20 bits of the SHA-256 of a record without its own entry, as 5 hexadecimal digits."""
    rest = {name: value for name, value in record.items() if name != ENTRY}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[: IDENTIFIER_BITS // 4]


def carrier_of(fmt: Format, lossless: bool) -> Carrier:
    """How files of a format are marked."""
    if fmt.exact(lossless):
        return "exact"
    return "palette" if fmt.palette else "lossy"


def stamped(
    record: dict[str, Any], spec: VideoSpec, wanted: bool = True, carrier: Carrier = "exact"
) -> dict[str, Any]:
    """The record with an entry that states the mark, and for which kind of file it was made, or
    why there is none."""
    if wanted and can_mark(spec):
        entry = {"version": VERSION, "identifier": identifier_of(record), "carrier": carrier}
        return record | {ENTRY: entry}
    return record | {ENTRY: {"left_out": TOO_SMALL if wanted else ASKED}}


def stated(record: dict[str, Any] | None) -> str | None:
    """The identifier that a record states, None where it states none."""
    entry = (record or {}).get(ENTRY)
    value = entry.get("identifier") if isinstance(entry, dict) else None
    return value if isinstance(value, str) else None


def marked(frames: Iterable[Frame], spec: VideoSpec, record: dict[str, Any]) -> Iterator[Frame]:
    """The frames as they leave: with the mark that the record states, else as they are."""
    identifier = stated(record)
    if identifier is None:
        return iter(frames)
    said = record[ENTRY].get("carrier")
    carrier: Carrier = said if said in ("lossy", "palette") else "exact"

    def signed(colours: Iterator[Frame]) -> Iterator[Frame]:
        return mark(colours, spec, int(identifier, 16), bool(record.get("loop")), carrier)

    return _beneath_alpha(frames, signed) if spec.alpha else signed(iter(frames))


def _beneath_alpha(
    frames: Iterable[Frame], signed: Callable[[Iterator[Frame]], Iterator[Frame]]
) -> Iterator[Frame]:
    """Frames ``[H, W, 4]`` whose colours are marked and whose alpha stays."""
    waiting: deque[Frame] = deque()

    def colours() -> Iterator[Frame]:
        for frame in frames:
            waiting.append(frame[..., 3])
            yield np.ascontiguousarray(frame[..., :3])

    for frame in signed(colours()):
        yield np.dstack([frame, waiting.popleft()])


def examine(path: Path, record: dict[str, Any] | None = None) -> Examined:
    """Look for the mark in a file, or a folder of frames, and compare with the ``record`` of its
    credentials, None where there are none. A file that cannot be decoded is not examined."""
    try:
        found = detect(decoded_frames(path))
    except VivantError as error:
        return Examined("not examined", str(error))
    return _judged(found, stated(record))


def _judged(found: Found, expected: str | None) -> Examined:
    if not found.found:
        sentence = "The frames carry no watermark of vivant that can still be found."
        if expected is not None:
            sentence = f"The watermark {expected} that the record states cannot be found."
        return Examined("not found", sentence, score=found.score)
    said, agrees = found.identifier, None
    sentence = "The frames carry vivant's watermark; its identifier cannot be read."
    if said is not None:
        sentence = f"The frames carry vivant's watermark {said}."
    if said is not None and expected is not None:
        agrees = said == expected
        sentence += " It agrees with the record." if agrees else f" The record says {expected}."
    return Examined("found", sentence, said, agrees, found.score, found.scale, found.mirrored)
