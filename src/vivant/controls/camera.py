"""Camera moves."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

from vivant.controls.entry import Entry
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
    "truck-left": ("truck", -1.0, 0.05),
    "truck-right": ("truck", 1.0, 0.05),
    "pedestal-up": ("pedestal", -1.0, 0.04),
    "pedestal-down": ("pedestal", 1.0, 0.04),
    "orbit-left": ("orbit", -1.0, 3.0),
    "orbit-right": ("orbit", 1.0, 3.0),
    "crane-up": ("crane", 1.0, 2.0),
    "crane-down": ("crane", -1.0, 2.0),
    "dolly-zoom": ("dolly_zoom", 1.0, 0.15),
    "swing": ("swing", 1.0, 0.03),
    "circle": ("circle", 1.0, 0.02),
    "hand-held": ("hand", 1.0, 1.0),
    "focus-near": ("focus_near", 1.0, 0.006),
    "focus-far": ("focus_far", 1.0, 0.006),
}
"""Name -> (axis, sign, amount where none is given)."""
MAX_AMOUNT = {
    "zoom": 4.0,
    "pan_x": 1.0,
    "pan_y": 1.0,
    "roll": 90.0,
    "truck": 0.15,
    "pedestal": 0.15,
    "orbit": 10.0,
    "crane": 8.0,
    "dolly_zoom": 0.5,
    "swing": 0.1,
    "circle": 0.08,
    "hand": 3.0,
    "focus_near": 0.02,
    "focus_far": 0.02,
}
"""Beyond these what was hidden would be more than what is known of it."""
MOST_OUT = 0.1
"""Growth by which a camera may pull out: beyond the edge the picture goes on mirrored."""
THROUGH = (
    "truck",
    "pedestal",
    "orbit",
    "crane",
    "dolly_zoom",
    "swing",
    "circle",
    "hand",
    "focus_near",
    "focus_far",
)
"""Moves that need to know what is near and what is far."""
ALIASES = {
    "orbit": "orbit-right",
    "arc": "orbit-right",
    "truck": "truck-right",
    "crane": "crane-up",
    "handheld": "hand-held",
}
WORDS = {"auto": ("push-in 0.03", "swing 0.006")}
"""A breath, for a picture in which nothing else moves."""


@dataclass(frozen=True)
class Camera:
    """What the camera does over the whole clip; all zero = it stands still. Several are added.

    ``pan_x`` / ``pan_y``: how far the view travels right / down, in short sides.
    ``zoom``: how much larger the picture is at the end (0.1 = ten per cent), down to -0.1: what
    lies beyond its edge is made up. ``roll``: degrees, clockwise.
    The rest goes through the picture's depth: ``truck`` and ``pedestal``, how far the nearest thing
    moves to the left and up, in short sides; ``orbit`` and ``crane``, degrees about the main thing
    to the right and up; ``dolly_zoom``, how much the camera nears it while the lens opens;
    ``swing`` sideways and ``circle``, amplitudes in short sides of the nearest; ``hand``, how
    unsteady a hand (1 = usual). ``focus_near`` and ``focus_far``: blur, in short sides, of what is
    farthest from the focus on the main thing, or on the far. Raises UsageError.
    """

    pan_x: float = 0.0
    pan_y: float = 0.0
    zoom: float = 0.0
    roll: float = 0.0
    truck: float = 0.0
    pedestal: float = 0.0
    orbit: float = 0.0
    crane: float = 0.0
    dolly_zoom: float = 0.0
    swing: float = 0.0
    circle: float = 0.0
    hand: float = 0.0
    focus_near: float = 0.0
    focus_far: float = 0.0

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) for v in astuple(self)):
            raise UsageError("Camera amounts must be finite numbers.")
        if self.zoom < -MOST_OUT:
            raise UsageError(
                f"The camera pulls out by at most {MOST_OUT:.0%}: the first frame is your whole"
                " picture, and what lies beyond its edge is made up."
            )

    @property
    def moves(self) -> bool:
        """Whether anything is asked of the camera."""
        return any(astuple(self))

    @property
    def through(self) -> tuple[str, ...]:
        """Names of the moves that need depth."""
        out = ("pull_out",) if self.zoom < 0 else ()
        return (*out, *(name for name in THROUGH if getattr(self, name)))

    @property
    def asks(self) -> bool:
        """Whether the camera moves."""
        return self.moves


def combined(cameras: Iterable[Camera]) -> Camera:
    """All moves at once."""
    parts = list(cameras)
    return Camera(**{f.name: sum(getattr(c, f.name) for c in parts) for f in fields(Camera)})


def parse_camera(text: str) -> Camera:
    """``"push-in 0.1, pan-left"`` to a camera path; "still" stands still.

    Raises UsageError naming the known moves.
    """
    amounts = {f.name: 0.0 for f in fields(Camera)}
    moves = [part.strip() for part in text.split(",")]
    if not any(moves):
        raise UsageError(f"No camera move is named; choose from {', '.join(MOVES)}.")
    for move in (part for given in moves for part in WORDS.get(given, (given,))):
        if move not in ("", "still", "none"):
            axis, amount = _one_move(move)
            amounts[axis] += amount
    return Camera(**amounts)


def _one_move(move: str) -> tuple[str, float]:
    name, begun, tail = move.replace("=", " ").partition(" ")
    name = ALIASES.get(name, name)
    if name not in MOVES:
        raise UsageError(f"The camera move {name!r} is not known; choose from {', '.join(MOVES)}.")
    axis, sign, usual = MOVES[name]
    try:
        amount = _amount(tail) if begun else usual
    except ValueError as error:
        raise UsageError(f"{tail!r} is not an amount; write it like {name} {usual:g}.") from error
    if not (math.isfinite(amount) and 0 < amount <= MAX_AMOUNT[axis]):
        raise UsageError(
            f"The amount of {name} must be above 0, up to {MAX_AMOUNT[axis]:g}, not {amount:g};"
            f" without one it is {usual:g}."
        )
    return axis, sign * amount


def _amount(text: str) -> float:
    """A number, also as ``5%`` or ``6deg``. Raises ValueError."""
    plain = text.strip()
    if plain.endswith("%"):
        return float(plain[:-1]) / 100
    return float(plain.removesuffix("deg").removesuffix("°"))


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
    (),  # `vivant.controls.path_file` reads --camera, which takes files as well
    write=write_camera,
    repeats=True,
)
