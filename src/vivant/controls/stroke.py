"""Strokes: what lies under a drawn path moves along it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from vivant.controls.entry import Entry, Option
from vivant.errors import UsageError

MAX_FILE = 1 << 20
SHORTEST = 1e-3
"""Of the picture's sides; a stroke that goes nowhere has no direction."""


@dataclass(frozen=True)
class Stroke:
    """A drawn path: what lies under it moves along it, its whole length in ``seconds``.

    ``points`` are (x, y) pairs, normalised, at least two. ``seconds`` None means the
    duration of the clip. Raises UsageError for points outside the picture or not finite, and
    where the path has no length.
    """

    points: tuple[tuple[float, float], ...]
    seconds: float | None = None

    def __post_init__(self) -> None:
        if len(self.points) < 2:
            raise UsageError("A stroke needs at least two points, such as 0.2,0.5>0.6,0.5.")
        for x, y in self.points:
            if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):
                raise UsageError(
                    f"The stroke point {x:g},{y:g} lies outside the picture; use values 0 to 1."
                )
        if sum(math.dist(a, b) for a, b in pairwise(self.points)) < SHORTEST:
            x, y = self.points[0]
            raise UsageError(
                f"The stroke at {x:g},{y:g} has no length, so it points nowhere; draw it longer."
            )
        if self.seconds is not None and not (math.isfinite(self.seconds) and self.seconds > 0):
            raise UsageError(f"A stroke's seconds must be a positive number, not {self.seconds}.")

    @property
    def asks(self) -> bool:
        """Always."""
        return True


def parse_stroke(text: str) -> Stroke:
    """``"x0,y0>x1,y1[>x2,y2...][@seconds]"``, coordinates from 0 to 1, to a stroke.

    Raises UsageError that shows a right example.
    """
    path, at, tail = text.partition("@")
    try:
        seconds = float(tail) if at else None
        points = []
        for pair in path.split(">"):
            x, y = pair.split(",")
            points.append((float(x), float(y)))
    except ValueError as error:
        raise UsageError(
            f"The stroke {text!r} is not understood; write it like 0.2,0.5>0.6,0.5 or"
            " 0.2,0.5>0.6,0.5@2 (seconds)."
        ) from error
    return Stroke(tuple(points), seconds)


def write_stroke(stroke: Stroke) -> tuple[str, ...]:
    """The words that draw the stroke again."""
    path = ">".join(f"{x:g},{y:g}" for x, y in stroke.points)
    return "--stroke", path if stroke.seconds is None else f"{path}@{stroke.seconds:g}"


def read_strokes(path: Path) -> tuple[Stroke, ...]:
    """Strokes from a JSON file: ``[{"points": [[x, y], ...], "seconds": 2.0}, ...]``.

    ``seconds`` may be left out. Raises UsageError for anything else.
    """
    try:
        if path.stat().st_size > MAX_FILE:
            raise UsageError(f"The stroke file {path} is over 1 MiB; draw fewer points.")
        rows = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"There is no stroke file {path}.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"The stroke file {path} is not readable JSON ({error}).") from error
    try:
        strokes = tuple(
            Stroke(
                tuple((float(x), float(y)) for x, y in row["points"]),
                None if row.get("seconds") is None else float(row["seconds"]),
            )
            for row in rows
        )
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError) as error:
        raise UsageError(
            f'The stroke file {path} must be a list like [{{"points": [[0.2, 0.5], [0.6, 0.5]]}}].'
        ) from error
    if not strokes:
        raise UsageError(f"The stroke file {path} holds no strokes.")
    return strokes


ENTRY = Entry(
    "stroke",
    Stroke,
    (
        Option(
            "--stroke",
            '"x0,y0>x1,y1[@seconds]", 0..1; repeatable.',
            lambda text, files: (parse_stroke(text),),
            "PATH",
        ),
        Option(
            "--strokes",
            "JSON file of strokes.",
            lambda text, files: read_strokes(files.local(Path(text))),
            "FILE",
        ),
    ),
    write=write_stroke,
    repeats=True,
)
