"""Results that are kept beside what they were made of, so that an interrupted run goes on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from vivant.files import publish


def fingerprint(*made_of: Any) -> str:
    """A hash (hexadecimal, 64 digits) of what a result is made of: JSON values, paths and
    dataclasses of them. Equal values have equal hashes on every machine."""
    text = json.dumps(made_of, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def state_of(path: Path) -> list[Any]:
    """What tells one file from another without reading it: place, size and date of change."""
    state = path.stat()
    return [str(path.resolve()), state.st_size, state.st_mtime_ns]


def find(path: Path, made_of: str) -> Any | None:
    """The value that was kept in ``path``, None where there is none, where it was made of
    something else than ``made_of``, or where the file is damaged."""
    try:
        found = json.loads(path.read_text("utf-8"))
        return found["value"] if found["made_of"] == made_of else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(path: Path, made_of: str, value: Any) -> None:
    """Keep a JSON value in ``path``, published by rename."""
    with publish(path) as temporary:
        temporary.write_text(json.dumps({"made_of": made_of, "value": value}), "utf-8")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {type(value).__name__: asdict(value)}
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no fingerprint")
