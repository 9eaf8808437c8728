"""Which clips the measurements of footage are taken on."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def arguments(title: str, most: int, every: int) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", action="append")
    parser.add_argument("--most", type=int, default=most)
    parser.add_argument("--every", type=int, default=every)
    parser.add_argument("--sheet", type=Path)
    return parser.parse_args()


def listed(args: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of the manifest whose split is asked for, validation and test where none is."""
    splits = args.split or ["val", "test"]
    lines = (args.clips / "manifest.jsonl").read_text().splitlines()
    return [row for row in map(json.loads, lines) if row["split"] in splits]
