"""The motion field: what a model samples and a renderer turns into frames.

Grid: the picture is divided evenly into ``h x w`` cells, 32 along its short side. A value
belongs to the centre of its cell. Velocity is Eulerian: at a fixed place, how fast the
content that passes there moves, in short sides of the picture per second, x to the right
and y down. Time steps are ``1 / rate`` seconds long; step ``k`` covers
``[k / rate, (k + 1) / rate)``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats

SHORT_CELLS = 32
RATE = 8.0


@dataclass(frozen=True)
class MotionField:
    """Velocity and light over time on the cell grid.

    ``velocity`` ``[T, 2, h, w]`` short sides per second; ``light`` ``[T, h, w]`` stops
    (log2 gain) relative to frame 0; ``map`` ``[h, w]`` mean speed the field was sampled
    under, short sides per second; ``still`` ``[h, w]`` 0..1, probability that the cell must
    not move; ``rate`` steps per second; ``loop_seconds``: the period the field was made
    seamless for (a whole number of times the duration of its steps), None if it does not loop;
    ``about`` free metadata (strings only);
    ``body`` ``[h, w]`` 0..1, cells of things that travel whole, None where there are none.
    """

    velocity: Floats
    light: Floats
    map: Floats
    still: Floats
    rate: float = RATE
    loop_seconds: float | None = None
    about: dict[str, str] = field(default_factory=dict)
    body: Floats | None = None

    def __post_init__(self) -> None:
        steps, two, h, w = self.velocity.shape if self.velocity.ndim == 4 else (0, 0, 0, 0)
        if two != 2 or steps < 1:
            raise ValueError(f"velocity must be [T, 2, h, w], not {self.velocity.shape}")
        expected = {"light": (steps, h, w), "map": (h, w), "still": (h, w)}
        if self.body is not None:
            expected["body"] = (h, w)
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} must be {shape}, not {getattr(self, name).shape}")
        for name in ("velocity", *expected):
            array: NDArray[np.float32] = getattr(self, name)
            if array.dtype != np.float32 or not np.isfinite(array).all():
                raise ValueError(f"{name} must be finite float32")
        if not self.rate > 0:
            raise ValueError(f"rate must be positive, not {self.rate}")

    @property
    def steps(self) -> int:
        """Number of time steps T."""
        return int(self.velocity.shape[0])

    @property
    def seconds(self) -> float:
        """Duration of the steps; how a field goes on beyond them says `vivant.field.beyond`."""
        return self.steps / self.rate

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w) cells."""
        return int(self.velocity.shape[2]), int(self.velocity.shape[3])

    def __repr__(self) -> str:
        h, w = self.grid
        return f"MotionField({self.steps} steps at {self.rate:g} Hz, {h}x{w} cells)"


def grid_for(width: int, height: int) -> tuple[int, int]:
    """(h, w) cells of a picture: 32 along the short side, the long side in proportion."""
    short = min(width, height)
    return round(SHORT_CELLS * height / short), round(SHORT_CELLS * width / short)


def still_field(h: int, w: int, steps: int = 16, rate: float = RATE) -> MotionField:
    """The field in which nothing moves."""
    zeros = np.zeros((h, w), np.float32)
    return MotionField(
        velocity=np.zeros((steps, 2, h, w), np.float32),
        light=np.zeros((steps, h, w), np.float32),
        map=zeros,
        still=np.ones((h, w), np.float32),
        rate=rate,
    )


def speed(field_: MotionField) -> Floats:
    """Mean speed over time, ``[h, w]``, short sides per second."""
    mean: Floats = np.linalg.norm(field_.velocity, axis=1).mean(axis=0).astype(np.float32)
    return mean
