"""What a user may ask of a clip beyond the picture: masks, strokes, camera.

Coordinates are normalised to the picture: x runs 0..1 from left to right, y 0..1 from top
to bottom. Lengths are in short sides of the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivant.errors import UsageError

Mask = NDArray[np.uint8]


@dataclass(frozen=True)
class Stroke:
    """A drawn path: what lies under it moves along it, its whole length in ``seconds``.

    ``points`` are (x, y) pairs, normalised, at least two. ``seconds`` None means the
    duration of the clip. Raises UsageError for points outside the picture or not finite.
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
        if self.seconds is not None and not (math.isfinite(self.seconds) and self.seconds > 0):
            raise UsageError(f"A stroke's seconds must be a positive number, not {self.seconds}.")


@dataclass(frozen=True)
class Camera:
    """What the camera does over the whole clip; all zero = it stands still.

    ``pan_x`` / ``pan_y``: how far the view travels right / down, in short sides.
    ``zoom``: how much larger the picture is at the end (0.1 = ten per cent); not negative,
    since a wider view would need picture that does not exist. ``roll``: degrees, clockwise.
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


@dataclass(frozen=True)
class Controls:
    """All controls of one request.

    ``still`` and ``move`` are masks ``[H, W]`` uint8 of the picture's size, 255 = applies:
    ``still`` pixels never change, ``move`` keeps motion to the masked region and asks for
    motion throughout it.
    """

    still: Mask | None = None
    move: Mask | None = None
    strokes: tuple[Stroke, ...] = ()
    camera: Camera = Camera()

    def used(self) -> tuple[str, ...]:
        """Names of the controls that ask for something."""
        asked = {
            "still": self.still is not None,
            "move": self.move is not None,
            "stroke": bool(self.strokes),
            "camera": self.camera.moves,
        }
        return tuple(name for name, on in asked.items() if on)
