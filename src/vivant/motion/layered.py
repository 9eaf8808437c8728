"""A motion: what each layer of a scene does. Few numbers, from which the same bundle renders the
same frames."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.controls.entry import Control
from vivant.rendering.manners.table import manner_of
from vivant.scene.record import Scene

REST = -1
"""In the place of an instance: what of a kind belongs to no instance."""


@dataclass(frozen=True, eq=False)
class LayerMotion:
    """One layer of a motion.

    ``name`` tells it from the others, and ``kind`` is what it shows; ``part`` is an instance of the
    scene where the layer is only that one, `REST` what belongs to none; ``manner`` the parameters
    of its manner (`vivant.rendering.manners.table`); ``seed`` of everything random in it;
    ``velocity`` ``[rows, columns, 2]`` over the whole picture, short sides a second, where it
    flows.

    Raises ValueError where a velocity is no such field.
    """

    name: str
    kind: str
    manner: Any
    seed: int
    part: int | None = None
    velocity: Floats | None = None

    def __post_init__(self) -> None:
        manner_of(self.manner)
        given = self.velocity
        if given is not None:  # as a file keeps it, so that what is saved renders the same frames
            given = given.astype(np.float16).astype(np.float32)
            object.__setattr__(self, "velocity", given)
        if given is not None and (given.ndim != 3 or given.shape[2] != 2):
            raise ValueError(f"the velocity must be [rows, columns, 2], not {given.shape}")
        if given is not None and not np.isfinite(given).all():
            raise ValueError("the velocity must be finite")


@dataclass(frozen=True, eq=False)
class Motion:
    """All layers that move, back to front; ``about`` free metadata; the ``scene`` it was made for
    and the ``likeness`` of the picture (`vivant.motion.likeness`), where they are known; what was
    asked of the ``camera``; the ``depth`` that was given (disparity ``[h, w]`` uint16, 65535 the
    nearest)."""

    layers: tuple[LayerMotion, ...] = ()
    about: dict[str, str] = field(default_factory=dict)
    scene: Scene | None = None
    likeness: str = ""
    camera: tuple[Control, ...] = ()
    depth: NDArray[np.uint16] | None = None


def seed_of(seed: int, name: str) -> int:
    """The seed of one layer: what is done to another one does not change it."""
    return int(np.random.SeedSequence([seed, zlib.crc32(name.encode())]).generate_state(1)[0])
