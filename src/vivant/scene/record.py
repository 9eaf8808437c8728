"""The record of what is in a picture: kinds, things, water bodies, what moves, depth.

Everything is on one grid, a quarter of the picture at 256 pixels on its short side (64 cells on
the short side). Places are shares of the picture's width and height, so that the record fits the
picture at any size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.kinds import INDEX, KINDS, WATERS

Box = tuple[float, float, float, float]
Place = tuple[float, float]


@dataclass(frozen=True)
class Instance:
    """A connected thing of one ``kind``.

    ``box`` left, top, right, lower edge and ``centre`` x, y as shares of the picture; ``area``
    its share 0..1; ``depth`` its mean inverse depth 0..1.
    """

    kind: str
    box: Box
    centre: Place
    area: float
    depth: float


@dataclass(frozen=True)
class WaterBody:
    """A body of water: ``instance`` is its place among the instances, ``character`` the chances
    of `WATERS` (sum 1), ``ends`` its probable source and sink (x, y as shares): rivers run from
    the one to the other, the sea rolls from the far edge to the near shore."""

    instance: int
    character: tuple[float, ...]
    ends: tuple[Place, Place]

    @property
    def name(self) -> str:
        """The likeliest character."""
        return WATERS[int(np.argmax(self.character))]


@dataclass(frozen=True, eq=False)
class Scene:
    """What one picture shows, on ``h x w`` cells.

    ``kinds`` ``[12, h, w]`` shares that sum to 1; ``moving`` ``[h, w]`` chance 0..1 that a cell
    moves; ``log_speed`` ``[h, w]`` natural log of its speed in short sides per second; ``depth``
    ``[h, w]`` relative inverse depth 0..1, 0 infinitely far; ``parts`` ``[h, w]`` int32, the
    instance of each cell, -1 where there is none; ``instances`` and ``bodies`` (of water);
    ``seen_by`` the networks, name to hash, for the record of provenance.

    Raises ValueError where shapes, ranges or indices do not fit.
    """

    kinds: Floats
    moving: Floats
    log_speed: Floats
    depth: Floats
    parts: NDArray[np.int32]
    instances: tuple[Instance, ...] = ()
    bodies: tuple[WaterBody, ...] = ()
    seen_by: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        h, w = self.grid
        if self.kinds.shape != (len(KINDS), h, w) or self.kinds.dtype != np.float32:
            raise ValueError(f"kinds must be float32 [12, h, w], not {self.kinds.shape}")
        for name in ("moving", "log_speed", "depth", "parts"):
            values = getattr(self, name)
            if values.shape != (h, w):
                raise ValueError(f"{name} must be [{h}, {w}], not {values.shape}")
            if not np.isfinite(values).all():
                raise ValueError(f"{name} must be finite")
        if not np.allclose(self.kinds.sum(0), 1, atol=1e-2):
            raise ValueError("the kinds of a cell must sum to 1")
        if self.parts.dtype != np.int32 or self.parts.max() >= len(self.instances):
            raise ValueError("parts must be int32 and name instances that exist")
        for body in self.bodies:
            if not 0 <= body.instance < len(self.instances):
                raise ValueError("a water body must name an instance that exists")
        for name in ("kinds", "moving", "log_speed", "depth"):  # as a file keeps them
            kept = getattr(self, name).astype(np.float16).astype(np.float32)
            kept.flags.writeable = False
            object.__setattr__(self, name, kept)
        self.parts.flags.writeable = False

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        return self.moving.shape[0], self.moving.shape[1]

    def share(self, kind: str) -> float:
        """Share of the picture that is ``kind``, 0..1."""
        return float(self.kinds[INDEX[kind]].mean())

    def shares(self) -> dict[str, float]:
        """Share of every kind, largest first."""
        each = {kind: self.share(kind) for kind in KINDS}
        return dict(sorted(each.items(), key=lambda item: -item[1]))

    def at(self, x: float, y: float) -> int | None:
        """The instance under a place (shares of width and height), None where there is none."""
        h, w = self.grid
        row, column = min(h - 1, max(0, int(y * h))), min(w - 1, max(0, int(x * w)))
        found = int(self.parts[row, column])
        return None if found < 0 else found

    def depth_at(self, size: tuple[int, int]) -> NDArray[np.uint16]:
        """The depth at a ``size`` (width, height), 16 bit, near = white."""
        wide = cv2.resize(self.depth, size, interpolation=cv2.INTER_CUBIC)
        return np.asarray(np.round(65535 * np.clip(wide, 0, 1)), np.uint16)

    def describe(self) -> dict[str, Any]:
        """Shares, instances and water bodies as plain data, for JSON."""
        return {
            "kinds": {kind: round(share, 4) for kind, share in self.shares().items()},
            "instances": [
                {
                    "number": number,
                    "kind": one.kind,
                    "box": [round(v, 4) for v in one.box],
                    "centre": [round(v, 4) for v in one.centre],
                    "area": round(one.area, 4),
                    "depth": round(one.depth, 4),
                }
                for number, one in enumerate(self.instances)
            ],
            "waters": [
                {
                    "instance": body.instance,
                    "character": dict(
                        zip(WATERS, (round(c, 3) for c in body.character), strict=True)
                    ),
                    "ends": [[round(v, 4) for v in end] for end in body.ends],
                }
                for body in self.bodies
            ],
            "seen_by": self.seen_by,
        }
