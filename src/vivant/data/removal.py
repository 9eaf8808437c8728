"""Removal requests: find a clip's shards, delete them, remember it, and name the weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vivant.data.shards import read_facts, shard_paths
from vivant.errors import UsageError
from vivant.files import publish


@dataclass(frozen=True)
class Entry:
    """One shard with what is known of its clip."""

    path: Path
    facts: dict[str, Any]

    def matches(self, text: str) -> bool:
        """Whether ``text`` is the shot's name, or part of the path, origin or SHA-256."""
        places = (str(self.facts.get(k, "")) for k in ("path", "origin", "sha256", "shot"))
        return text == self.path.stem or any(text in place for place in places)


def entries(folder: Path) -> list[Entry]:
    """All shards of a folder. Raises UsageError where there are none."""
    found = [Entry(path, read_facts(path)) for path in shard_paths(folder)]
    if not found:
        raise UsageError(f"{folder} holds no shards.")
    return found


def remove(folder: Path, text: str, reason: str) -> list[Entry]:
    """Delete every shard that ``text`` matches and write it down in ``removed.jsonl``, so that
    preparing the same clips again leaves them out. Raises UsageError where nothing matches."""
    gone = [entry for entry in entries(folder) if len(text) >= 4 and entry.matches(text)]
    if not gone:
        raise UsageError(f"No shard of {folder} matches {text!r} (at least 4 characters).")
    path = folder / "removed.jsonl"
    before = path.read_text("utf-8") if path.is_file() else ""
    lines = [
        json.dumps({"sha256": e.facts.get("sha256", ""), "shot": e.path.stem, "reason": reason})
        for e in gone
    ]
    with publish(path) as temporary:
        temporary.write_text(before + "\n".join(lines) + "\n", "utf-8")
    for entry in gone:
        entry.path.unlink()
    return gone


def seen_by(bundle: Path, gone: list[Entry]) -> list[str]:
    """Names of the removed shots whose clip the weights in ``bundle`` were trained on."""
    path = bundle / "data.json"
    if not path.is_file():
        return []
    hashes = {row["sha256"] for row in json.loads(path.read_text("utf-8"))}
    return [entry.path.stem for entry in gone if entry.facts.get("sha256") in hashes]
