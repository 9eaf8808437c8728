"""Controls as text: strokes, camera moves, stroke files."""

from __future__ import annotations

import json
import math
from pathlib import Path

from vivant.controls.types import Camera, Stroke
from vivant.errors import UsageError

CAMERA_MOVES: dict[str, tuple[str, float, float]] = {
    "push-in": ("zoom", 1.0, 0.1),
    "pull-out": ("zoom", -1.0, 0.1),
    "pan-left": ("pan_x", -1.0, 0.1),
    "pan-right": ("pan_x", 1.0, 0.1),
    "pan-up": ("pan_y", -1.0, 0.1),
    "pan-down": ("pan_y", 1.0, 0.1),
    "roll-left": ("roll", -1.0, 5.0),
    "roll-right": ("roll", 1.0, 5.0),
}
"""Name -> (axis, sign, amount where none is given)."""

MAX_FILE = 1 << 20
MAX_AMOUNT = {"zoom": 4.0, "pan_x": 1.0, "pan_y": 1.0, "roll": 90.0}


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


def parse_camera(moves: list[str]) -> Camera:
    """``["push-in 0.1", "pan-left"]`` (also one text with commas) to a camera path.

    Raises UsageError naming the known moves.
    """
    amounts = {"pan_x": 0.0, "pan_y": 0.0, "zoom": 0.0, "roll": 0.0}
    for move in (part.strip() for text in moves for part in text.split(",")):
        if move in ("", "still", "none"):
            continue
        axis, amount = _one_move(move)
        amounts[axis] += amount
    return Camera(**amounts)


def _one_move(move: str) -> tuple[str, float]:
    name, _, tail = move.replace("=", " ").partition(" ")
    if name not in CAMERA_MOVES:
        known = ", ".join(CAMERA_MOVES)
        raise UsageError(f"The camera move {name!r} is not known; choose from {known}.")
    axis, sign, amount = CAMERA_MOVES[name]
    try:
        amount = float(tail) if tail.strip() else amount
    except ValueError as error:
        raise UsageError(f"{tail!r} is not an amount; write it like push-in 0.1.") from error
    if not (math.isfinite(amount) and 0 <= amount <= MAX_AMOUNT[axis]):
        raise UsageError(
            f"The amount of {name} must be from 0 to {MAX_AMOUNT[axis]:g}, not {amount:g}."
        )
    return axis, sign * amount


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
        return tuple(
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
