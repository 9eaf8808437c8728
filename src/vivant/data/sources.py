"""Where clips come from: manifests, folders of videos, captions beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vivant.errors import UsageError
from vivant.files import listed

VIDEO_SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".gif"}


@dataclass(frozen=True)
class Source:
    """One clip file with what the manifest says of it."""

    path: Path
    facts: dict[str, Any]


def read_sources(where: Path, splits: tuple[str, ...] = ()) -> list[Source]:
    """Clips of a manifest (.jsonl, paths beside it) or of a folder of videos.

    A manifest's line is JSON with ``path`` and, where known, ``split``, ``category``,
    ``licence``, ``origin``, ``caption``. A folder with a ``manifest.jsonl`` is read through it;
    else all its videos are taken, with captions from ``clip.txt`` beside ``clip.mp4``.
    ``splits`` keeps only those splits of a manifest. Raises UsageError where nothing is found
    or a manifest is damaged.
    """
    if where.is_dir() and (where / "manifest.jsonl").exists():
        where = where / "manifest.jsonl"
    if where.is_dir():
        files = [p for p in listed(where, deep=True) if p.suffix.lower() in VIDEO_SUFFIXES]
        found = [Source(p, _plain_facts(p, where)) for p in files]
    elif where.is_file():
        rows = _rows(where)
        kept = [row for row in rows if not splits or row.get("split") in splits]
        found = [Source(where.parent / row["path"], row) for row in kept]
    else:
        raise UsageError(f"{where} is neither a manifest nor a folder of clips.")
    if not found:
        raise UsageError(f"{where} holds no clips for the splits {', '.join(splits) or 'all'}.")
    return found


def _plain_facts(path: Path, folder: Path) -> dict[str, Any]:
    facts = {"path": str(path.relative_to(folder)), "split": "train", "licence": "", "origin": ""}
    caption = path.with_suffix(".txt")
    if caption.is_file():
        facts["caption"] = caption.read_text("utf-8", errors="replace").strip()
    return facts


def _rows(manifest: Path) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(manifest.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8"))
            if not isinstance(row["path"], str) or "\0" in row["path"]:
                raise TypeError("path must be the name of a file")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            reason = " ".join(str(error).split())[:160]
            raise UsageError(f"{manifest}, line {number}, is no clip ({reason}).") from error
        rows.append(row)
    return rows
