"""Which clips the measurements of footage are taken on."""

from __future__ import annotations

import argparse
from pathlib import Path

from vivant.data.sources import Source, read_sources

SPLITS = ("val", "test")


def parser_of(title: str, most: int) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", action="append")
    parser.add_argument("--most", type=int, default=most)
    return parser


def arguments(title: str, most: int, every: int) -> argparse.Namespace:
    parser = parser_of(title, most)
    parser.add_argument("--every", type=int, default=every)
    parser.add_argument("--sheet", type=Path)
    return parser.parse_args()


def listed(args: argparse.Namespace) -> list[Source]:
    """The clips whose split is asked for, validation and test where none is."""
    return read_sources(args.clips, tuple(args.split or SPLITS))
