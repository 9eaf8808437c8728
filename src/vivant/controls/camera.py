"""Camera moves."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from vivant.controls.entry import Entry, Option
from vivant.errors import UsageError

MOVES: dict[str, tuple[str, float, float]] = {
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
MAX_AMOUNT = {"zoom": 4.0, "pan_x": 1.0, "pan_y": 1.0, "roll": 90.0}


@dataclass(frozen=True)
class Camera:
    """What the camera does over the whole clip; all zero = it stands still. Several are added.

    ``pan_x`` / ``pan_y``: how far the view travels right / down, in short sides.
    ``zoom``: how much larger the picture is at the end (0.1 = ten per cent); not negative,
    since a wider view would need picture that does not exist. ``roll``: degrees, clockwise.
    Raises UsageError.
    """

    pan_x: float = 0.0
    pan_y: float = 0.0
    zoom: float = 0.0
    roll: float = 0.0

    def __post_init__(self) -> None:
        values = (self.pan_x, self.pan_y, self.zoom, self.roll)
        if not all(math.isfinite(v) for v in values):
            raise UsageError("Camera amounts must be finite numbers.")
        if self.zoom < 0:
            raise UsageError(
                "The camera cannot pull out: the first frame is your whole picture and there is"
                " nothing beyond its edge; use push-in."
            )

    @property
    def moves(self) -> bool:
        """Whether anything is asked of the camera."""
        return (self.pan_x, self.pan_y, self.zoom, self.roll) != (0.0, 0.0, 0.0, 0.0)

    @property
    def asks(self) -> bool:
        """Whether the camera moves."""
        return self.moves


def combined(cameras: Iterable[Camera]) -> Camera:
    """All moves at once."""
    parts = list(cameras)
    return Camera(
        pan_x=sum(c.pan_x for c in parts),
        pan_y=sum(c.pan_y for c in parts),
        zoom=sum(c.zoom for c in parts),
        roll=sum(c.roll for c in parts),
    )


def parse_camera(text: str) -> Camera:
    """``"push-in 0.1, pan-left"`` to a camera path; "still" stands still.

    Raises UsageError naming the known moves.
    """
    amounts = {"pan_x": 0.0, "pan_y": 0.0, "zoom": 0.0, "roll": 0.0}
    moves = [part.strip() for part in text.split(",")]
    if not any(moves):
        raise UsageError(f"No camera move is named; choose from {', '.join(MOVES)}.")
    for move in moves:
        if move not in ("", "still", "none"):
            axis, amount = _one_move(move)
            amounts[axis] += amount
    return Camera(**amounts)


def _one_move(move: str) -> tuple[str, float]:
    name, begun, tail = move.replace("=", " ").partition(" ")
    if name not in MOVES:
        raise UsageError(f"The camera move {name!r} is not known; choose from {', '.join(MOVES)}.")
    axis, sign, usual = MOVES[name]
    try:
        amount = float(tail) if begun else usual
    except ValueError as error:
        raise UsageError(f"{tail!r} is not an amount; write it like {name} {usual:g}.") from error
    if not (math.isfinite(amount) and 0 < amount <= MAX_AMOUNT[axis]):
        raise UsageError(
            f"The amount of {name} must be above 0, up to {MAX_AMOUNT[axis]:g}, not {amount:g};"
            f" without one it is {usual:g}."
        )
    return axis, sign * amount


def write_camera(camera: Camera) -> tuple[str, ...]:
    """The words that move the camera again."""
    words = []
    for name, (axis, sign, _) in MOVES.items():
        amount = sign * float(getattr(camera, axis))
        if amount > 0:
            words.append(f"{name} {amount:g}")
    return "--camera", ", ".join(words) or "still"


ENTRY = Entry(
    "camera",
    Camera,
    (
        Option(
            "--camera",
            '"push-in 0.1", pan-left, roll-right 5, ...; repeatable.',
            lambda text, files: (parse_camera(text),),
            "MOVE",
        ),
    ),
    write=write_camera,
    repeats=True,
)
