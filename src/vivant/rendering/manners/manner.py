"""What every manner of motion answers, and what it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Plane
from vivant.rendering.plates import continued, sure_of
from vivant.rendering.source import denser

CRISP = 0.5
"""Textures are sharpened by so much beforehand, since sampling between pixels blurs."""
STEP = 0.02
"""Seconds over which a rate is taken."""


@dataclass(frozen=True, eq=False)
class Ground:
    """What a manner moves: one layer, cut to its box.

    ``pixels`` ``[h, w, 3]`` the picture there, ``matte`` ``[h, w]`` (255 = the layer's own), and
    ``own`` ``[h, w]`` the thing itself where the layer reaches beyond it;
    ``origin`` x, y of the box in the picture, ``picture`` its width and height, in pixels;
    ``loop`` seconds after which the motion must close, None where it need not; ``velocity``
    ``[rows, columns, 2]`` over the box, short sides per second, where the layer flows; ``moving``
    ``[rows, columns]`` over the box, the chance 0..1 that a place moves, where it is known;
    ``near`` ``[rows, columns]`` over the box, inverse depth, 1 = the nearest, where it is known;
    ``open`` ``[h, w]`` (255 = open) what the layer's outline may move before: the sky.
    """

    pixels: Frame
    matte: Plane
    origin: tuple[int, int] = (0, 0)
    picture: tuple[int, int] = (0, 0)
    loop: float | None = None
    velocity: Floats | None = None
    moving: Floats | None = None
    own: Plane | None = None
    near: Floats | None = None
    open: Plane | None = None

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

    @property
    def sure_of_own(self) -> Floats:
        """As ``sure``, of the thing itself."""
        return self.sure if self.own is None else sure_of(self.own)

    @cached_property
    def texture(self) -> Frame:
        """The layer, continued smoothly beyond its edge, ``[h, w, 3]``."""
        return continued(self.pixels, self.sure)


@dataclass(frozen=True, eq=False)
class Shown:
    """Where the places of a box show the picture at a time: two textures, ``even`` and ``odd``
    ``[h, w, 2]`` pixels to where each is read, and ``share`` ``[h, w]`` 0..1 of the odd one;
    ``exact``: whether the pixels themselves have moved so, and no detail is new; ``where`` ``[h,
    w]`` it is shown, None = everywhere within the matte."""

    even: Floats
    odd: Floats
    share: Floats
    exact: bool = True
    where: NDArray[np.bool_] | None = None


def one_texture(shift: Floats, shape: tuple[int, int], *, exact: bool = True) -> Shown:
    """What is shown by a manner that reads one texture, at ``shift`` ``[rows, columns, 2]``."""
    wide = enlarged(shift, shape)
    return Shown(wide, wide, np.zeros(shape, np.float32), exact)


def rate_of(shift: Callable[[float], Floats], seconds: float, short: float) -> Floats:
    """The flow, short sides a second, of a texture that is read at ``shift(t)`` pixels."""
    change = shift(seconds + STEP) - shift(seconds - STEP)
    return np.asarray(-change / (2 * STEP * short), np.float32)


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

    def shown(self, seconds: float) -> Shown:
        """Ground truth: where what is seen has come from."""
        ...

    def flow(self, seconds: float) -> Floats:
        """How fast what is seen moves, short sides a second, ``[rows, columns, 2]`` on any grid
        over the box."""
        ...


@runtime_checkable
class Outlined(Protocol):
    """A manner whose outline moves: it hides what moves behind it."""

    def cover(self, seconds: float) -> Plane | None:
        """Where it hides what is behind it, ``[h, w]``, 255 = wholly; None where its outline
        stays."""
        ...


@runtime_checkable
class Veil(Protocol):
    """A manner before all others: they move ``beneath`` ``[h, w, 3]``, the picture without what it
    moves."""

    @property
    def beneath(self) -> Frame:
        """The picture without what moves."""
        ...


class Fetcher:
    """Reads a texture ``[H, W, 3]`` at shifted places, as crisply as the picture itself.

    ``window`` left, top, width and height of the part that is looked at, in pixels of the texture;
    the whole of it where none is given.
    """

    def __init__(
        self,
        texture: Frame,
        border: int = cv2.BORDER_REFLECT_101,
        window: tuple[int, int, int, int] | None = None,
    ) -> None:
        dense = denser(texture)
        soft = cv2.GaussianBlur(dense, (3, 3), 0.8)
        self.dense = cv2.addWeighted(dense, 1 + CRISP, soft, -CRISP, 0)
        left, top, w, h = window or (0, 0, texture.shape[1], texture.shape[0])
        x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
        self.grid = np.dstack([2 * (x + left), 2 * (y + top)])
        self.border = border

    @property
    def still(self) -> Frame:
        """The texture unmoved, as it is read."""
        return self.at(np.zeros((4, 4, 2), np.float32))

    def at(self, shift: Floats) -> Frame:
        """The texture at ``shift`` pixels ``[rows, columns, 2]`` from each place; coarse grids of
        shifts are enlarged."""
        places = enlarged(shift, (self.grid.shape[0], self.grid.shape[1]))
        places = cv2.scaleAdd(places, 2.0, self.grid)
        out = cv2.remap(self.dense, places, None, cv2.INTER_LINEAR, borderMode=self.border)
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
