"""A file of many requests, one JSON object a line, in the words of the command line."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vivant.asset import Asset, Kind
from vivant.errors import UsageError, VivantError
from vivant.files import sha256_of
from vivant.media.assets import clean_name
from vivant.media.formats import FORMATS, format_for
from vivant.request import Request
from vivant.words import read_words

ALIASES = {"picture": "image"}
OWN = ("name", "model")
"""Words of a line that are not those of every request."""
MOST_BYTES = 64 << 20
_NAME = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Task:
    """One clip to be made: the ``request`` as data, where its ``files`` are (hash to path and
    kind), and the name of the clip, which no other request has."""

    line: int
    request: dict[str, Any]
    files: dict[str, tuple[str, Kind]]
    format: str
    consent: bool
    identity: str
    name: str


@dataclass(frozen=True)
class Refused:
    """A line of which nothing can be made, and why."""

    line: int
    error: str


@dataclass
class _Beside:
    """Files named relative to the manifest; their hashes are computed once a run."""

    folder: Path
    hashes: dict[Path, str]
    files: dict[str, tuple[str, Kind]] = field(default_factory=dict)

    def has(self, path: Path) -> bool:
        return (self.folder / path).exists()

    def local(self, path: Path) -> Path:
        return self.folder / path

    def add(self, path: Path, kind: Kind) -> Asset:
        whole = (self.folder / path).absolute()
        if not whole.is_file():
            raise UsageError(f"There is no file {whole}.")
        try:
            if whole not in self.hashes:
                self.hashes[whole] = sha256_of(whole)
        except OSError as error:
            raise UsageError(f"{whole} cannot be read ({error.strerror or error}).") from error
        self.files[self.hashes[whole]] = (str(whole), kind)
        return Asset(self.hashes[whole], kind, clean_name(whole.name))


def read_manifest(path: Path) -> Iterator[Task | Refused]:
    """The tasks of a manifest; empty lines are left out. A line that is wrong is Refused and
    stops nothing. Raises UsageError where the file cannot be read."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path} is larger than {MOST_BYTES >> 20} MiB; split it.")
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The manifest {path} cannot be read ({error}).") from error
    hashes: dict[Path, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield _task(number, line, _Beside(path.parent, hashes))
        except VivantError as error:
            yield Refused(number, str(error))


def _task(number: int, line: str, beside: _Beside) -> Task:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError("The line is no JSON.") from error
    if not isinstance(said, dict):
        raise UsageError('The line must be a JSON object such as {"picture": "photo.jpg"}.')
    own = {name: said.pop(name) for name in OWN if name in said}
    if wrong := [name for name, value in own.items() if not isinstance(value, str)]:
        raise UsageError(f"{wrong[0]} must be a text.")
    formats = [name for name, entry in FORMATS.items() if entry.suffix]
    asked = read_words(said, ALIASES, own.get("model", "builtin"), formats, beside)
    name = own.get("name") or Path(asked.request.keyframes[0].image.name).stem
    identity = _identity(asked.request, asked.made, asked.consent)
    plain = _NAME.sub("-", name).strip(".-")[:80] or "clip"
    suffix = format_for(None, asked.made).suffix
    return Task(
        number,
        asked.request.to_data(),
        beside.files,
        asked.made,
        asked.consent,
        identity,
        f"{plain}-{identity[:12]}{suffix}",
    )


def _identity(request: Request, made: str, consent: bool) -> str:
    """Tells requests apart by what they ask for, not by the names of their files."""
    said = {"request": _nameless(request.to_data()), "format": made, "consent": consent}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _nameless(data: Any) -> Any:
    if isinstance(data, list):
        return [_nameless(member) for member in data]
    if not isinstance(data, dict):
        return data
    asset = set(data) >= {"sha256", "kind"}
    return {k: _nameless(v) for k, v in data.items() if not (asset and k == "name")}
