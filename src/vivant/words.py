"""The words of a request in JSON objects that people write: those of the command line, by their
Python names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vivant.asset import Asset, Files, Kind
from vivant.controls.entry import Control, Option
from vivant.controls.table import options
from vivant.errors import UsageError
from vivant.request import Keyframe, Request

DEFAULT_FPS = 24.0
PLAIN = ("image", "seconds", "fps", "num_frames", "size", "seed", "format", "consent")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Asked:
    """A request, the format of its clip, and whether those concerned have agreed."""

    request: Request
    made: str
    consent: bool


class _Sent:
    """Files that are named by their hashes; there are no others."""

    def has(self, path: Path) -> bool:
        return _SHA256.fullmatch(str(path)) is not None

    def local(self, path: Path) -> Path:
        raise UsageError(f"Files are not read here: write out what {str(path)[:60]!r} says.")

    def add(self, path: Path, kind: Kind) -> Asset:
        if not self.has(path):
            raise UsageError(f"{str(path)[:60]!r} is no file that was sent; send it in the body.")
        return Asset(str(path), kind)


SENT = _Sent()


def read_words(
    said: Mapping[str, Any],
    aliases: Mapping[str, str],
    model: str,
    formats: Collection[str] = ("mp4", "webp", "gif"),
    files: Files = SENT,
) -> Asked:
    """What the words of a body ask for: ``image``, ``seconds`` (or ``num_frames``), ``fps``,
    ``size``, ``seed``, ``format``, ``consent``, and every control by its Python name.

    ``aliases`` are other names for them; ``files`` takes in the files that they name, which is
    by their hashes where it is left out (`vivant.service.fronts.inputs`), and then no other file is
    read. Raises UsageError naming what is not known.
    """
    words: dict[str, Any] = {}
    for name, value in said.items():
        if value is None:
            continue
        known = aliases.get(name, name)
        if known in words:
            raise UsageError(f"{name} and another name for {known} are given; leave one out.")
        words[known] = value
    offered = {option.keyword: option for option in options()}
    if unknown := sorted(set(words) - set(PLAIN) - set(offered)):
        names = ", ".join((*PLAIN, *offered))
        raise UsageError(f"There is no input {unknown[0][:60]!r} here; known are {names}.")
    image = _image(words.get("image"), files)
    controls = [
        control
        for name, option in offered.items()
        for control in _control(option, words.get(name), files)
    ]
    fps = None if "fps" not in words else _number("fps", words["fps"])
    request = Request(
        (Keyframe(image),),
        tuple(controls),
        _seconds(words, fps),
        fps,
        None if "size" not in words else _text("size", words["size"]).replace("*", "x"),
        _whole("seed", words.get("seed", 0)),
        model,
    )
    made = _text("format", words.get("format", "mp4"))
    if made not in formats:
        raise UsageError(f"The format must be one of {', '.join(formats)}, not {made[:60]!r}.")
    return Asked(request, made, _yes("consent", words.get("consent", False)))


def _image(value: Any, files: Files) -> Asset:
    if value is None:
        raise UsageError("A clip is made of a picture: send one.")
    return files.add(Path(_text("image", value)), "picture")


def _seconds(words: Mapping[str, Any], fps: float | None) -> float:
    if "num_frames" not in words:
        return _number("seconds", words.get("seconds", 4.0))
    if "seconds" in words:
        raise UsageError("seconds and num_frames say the same; leave one out.")
    return _whole("num_frames", words["num_frames"]) / (fps or DEFAULT_FPS)


def _control(option: Option, value: Any, files: Files) -> tuple[Control, ...]:
    """The controls that a value asks for: a text, a number, true, or a list of those."""
    if value is None or value is False or value == "":
        return ()
    if isinstance(value, list):
        return tuple(control for one in value for control in _control(option, one, files))
    if value is True:
        value = ""
    if not isinstance(value, str | int | float):
        raise UsageError(f"{option.keyword} takes a text, a number or a list of them.")
    return option.read(str(value), files)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{name} must be a text, not {type(value).__name__}.")
    return value


def _number(name: str, value: Any) -> float:
    try:
        return float(_plain(value))
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"{name} must be a number, not {str(value)[:60]!r}.") from error


def _whole(name: str, value: Any) -> int:
    try:
        found = int(_plain(value))
        if isinstance(value, float) and found != value:
            raise ValueError
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"{name} must be a whole number, not {str(value)[:60]!r}.") from error
    return found


def _plain(value: Any) -> Any:
    """A value that is no truth value, which Python takes for a number."""
    if isinstance(value, bool):
        raise TypeError
    return value


def _yes(name: str, value: Any) -> bool:
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise UsageError(f"{name} must be true or false.")
