"""What every manner of motion answers, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import cv2
import numpy as np

from vivant.clip import Floats, Frame, Plane
from vivant.rendering.plates import continued, sure_of
from vivant.rendering.source import denser


@dataclass(frozen=True, eq=False)
class Ground:
    """What a manner moves: one layer, cut to its box.

    ``pixels`` ``[h, w, 3]`` the picture there, ``matte`` ``[h, w]`` (255 = the layer's own);
    ``origin`` x, y of the box in the picture, ``picture`` its width and height, in pixels;
    ``loop`` seconds after which the motion must close, None where it need not; ``velocity``
    ``[rows, columns, 2]`` over the box, short sides per second, where the layer flows.
    """

    pixels: Frame
    matte: Plane
    origin: tuple[int, int] = (0, 0)
    picture: tuple[int, int] = (0, 0)
    loop: float | None = None
    velocity: Floats | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.matte.shape[0], self.matte.shape[1]

    @property
    def short(self) -> float:
        """The picture's short side in pixels: lengths and speeds are in these."""
        return float(min(self.picture) or min(self.shape))

    @cached_property
    def sure(self) -> Floats:
        """1 where a pixel is the layer's own beyond doubt, ``[h, w]``."""
        return sure_of(self.matte)

    @cached_property
    def texture(self) -> Frame:
        """The layer, continued smoothly beyond its edge, ``[h, w, 3]``."""
        return continued(self.pixels, self.sure)


class Manner(Protocol):
    """The look of one layer over time.

    ``texture`` ``[h, w, 3]`` is what the layer looks like at t = 0: of each frame only the
    difference to it is shown.
    """

    @property
    def texture(self) -> Frame:
        """The look at t = 0."""
        ...

    def at(self, seconds: float) -> Frame:
        """The look ``[h, w, 3]`` at a time; at 0 it is ``texture``."""
        ...

    def shift(self, seconds: float) -> Floats | None:
        """Ground truth: pixels ``[h, w, 2]`` from each place to the place of the picture that it
        shows; None where the manner makes new detail, which has come from nowhere."""
        ...


class Fetcher:
    """Reads a texture ``[h, w, 3]`` at shifted places, as crisply as the picture itself."""

    def __init__(self, texture: Frame, border: int = cv2.BORDER_REFLECT_101) -> None:
        self.dense = denser(texture)
        h, w = texture.shape[:2]
        x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
        self.grid = np.dstack([2 * x, 2 * y])
        self.border = border

    def at(self, shift: Floats) -> Frame:
        """The texture at ``shift`` pixels ``[rows, columns, 2]`` from each place; coarse grids of
        shifts are enlarged."""
        places = enlarged(shift, self.grid.shape[:2])
        cv2.scaleAdd(places, 2.0, self.grid, places)
        out = cv2.remap(self.dense, places, None, cv2.INTER_CUBIC, borderMode=self.border)
        return np.asarray(out, np.uint8)


def enlarged(values: Floats, shape: tuple[int, int]) -> Floats:
    """Values on a coarse grid ``[rows, columns(, n)]`` at ``shape`` (h, w)."""
    if values.shape[:2] == shape:
        return np.ascontiguousarray(values, np.float32)
    out = cv2.resize(values, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(out, np.float32)


def coarse(shape: tuple[int, int], step: float) -> tuple[int, int]:
    """Rows and columns of a grid with a node every ``step`` pixels, at least 4."""
    return max(4, round(shape[0] / step)), max(4, round(shape[1] / step))
