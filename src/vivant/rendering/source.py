"""The photograph as the renderer reads it: sharp between pixels, and in full when the view closes
in.

Frames are sampled at places between the pixels, and every sampling by a short kernel blurs, so
the first frame would be crisper than all others. The picture is therefore first interpolated to
twice its pixels by a long windowed sinc (the pixels themselves stay), once, and sampled there by
a bicubic kernel. A camera that closes in sees the photograph in *levels*, reductions of it whose
detail is right for one zoom each (a pyramid as in Williams, "Pyramidal parametrics", 1983),
mixed for the zooms between two of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.clip import Floats, Frame
from vivant.media.resize import fit_plane

TAPS, WINDOW = 16, 3.0
"""Length and Kaiser window of the interpolating kernel."""
MOST_PIXELS = 9_000_000
"""Larger images are not interpolated first: their finest detail hardly counts."""
LEVEL_STEP = 1.4
LEAST_ZOOM = 1.02
"""A view that closes in less than this needs no level of its own."""
LEAST_SHARE = 0.01
MARGIN = 0.15
"""What motion may fetch from beyond the view, in short sides."""


Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Sight:
    """What the camera sees in one frame: ``zoom`` pixels of the frame for one of the first
    frame; ``bounds`` left, top, right, bottom in pixels of the first frame."""

    zoom: float
    bounds: tuple[float, float, float, float]


@dataclass(frozen=True)
class Level:
    """An image with ``zoom`` pixels for a pixel of the frame, from pixel ``left``, ``top`` on,
    interpolated to ``dense`` (1 or 2) times its pixels."""

    image: Frame
    zoom: float
    left: int
    top: int
    dense: int

    def fetch(self, at: Floats) -> Frame:
        """Its colours at places ``at`` ``[h, w, 2]`` of its own pixels."""
        out = cv2.remap(self.image, at, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(out, np.uint8)

    def places(self, at: Floats) -> Floats:
        """Places ``at`` ``[h, w, 2]`` of the first frame in its own pixels."""
        half, scale = 0.5 * self.zoom - 0.5, self.zoom * self.dense
        x, y = self.dense * (half - self.left), self.dense * (half - self.top)
        return np.asarray(cv2.transform(at, np.array([[scale, 0, x], [0, scale, y]])), np.float32)


class Source:
    """A photograph ``[H, W, 3]`` for frames of ``size`` (width, height) and a camera that sees
    ``sights``. ``fitted`` is the first frame."""

    def __init__(
        self, pixels: Frame, size: tuple[int, int], sights: tuple[Sight, ...] = ()
    ) -> None:
        self.pixels, self.size, self.sights = pixels, size, sights
        self.fitted = fit_plane(pixels, size)
        self.scale = max(size[0] / pixels.shape[1], size[1] / pixels.shape[0])
        closest = max((s.zoom for s in sights), default=1.0)
        self.zooms = _zooms(min(1 / self.scale, closest))
        self.levels = {0: _level(self.fitted, 1.0, 0, 0)}

    @property
    def whole(self) -> Level:
        """The level of the first frame."""
        return self.levels[0]

    def fetch(self, at: Floats, zoom: float) -> Frame:
        """Colours at places ``at`` ``[h, w, 2]``, in pixels of the first frame, for a view that
        shows ``zoom`` pixels for one of them."""
        levels = self.levels_for(zoom)
        images = [level.fetch(level.places(at)) for level, _ in levels]
        return mixed(images, [share for _, share in levels])

    def levels_for(self, zoom: float) -> list[tuple[Level, float]]:
        """The one or two levels for a view that shows ``zoom`` pixels for one, and their shares."""
        place = float(np.interp(np.log(zoom), np.log(self.zooms), np.arange(len(self.zooms))))
        low = min(int(place), max(0, len(self.zooms) - 2))
        share = place - low
        self.levels = {k: v for k, v in self.levels.items() if k in (0, low, low + 1)}
        shares = {low: 1 - share, low + 1: share}
        return [(self._level(k), s) for k, s in shares.items() if s > LEAST_SHARE]

    def _level(self, index: int) -> Level:
        if index not in self.levels:
            around = self.zooms[index - 1 : index + 2]
            seen = [s.bounds for s in self.sights if around[0] <= s.zoom <= around[-1]]
            corners = np.min(seen, axis=0)[:2], np.max(seen, axis=0)[2:] + 1
            self.levels[index] = self._cut(self.zooms[index], *corners)
        return self.levels[index]

    def _cut(self, zoom: float, low: Doubles, high: Doubles) -> Level:
        """The level of a zoom between two corners, pixels of the first frame."""
        size, room = np.array(self.size), MARGIN * min(self.size)
        whole = np.array(self.pixels.shape[1::-1])
        fitted = np.round(whole * self.scale)  # as `fit_plane` scales it, before it cuts
        cut = (fitted - size) // 2
        first = np.floor(np.maximum(low - room, 0) * zoom)
        # a pixel beyond the edge would have to be squeezed in, and shift all others
        last = np.minimum(np.ceil((high + room) * zoom), np.floor(size * zoom + 1e-6))
        ends = [(end / zoom + cut) * whole / fitted for end in (first, last)]
        width, height = (last - first).astype(int)
        reduced = Image.fromarray(self.pixels).resize(
            (int(width), int(height)),
            Image.Resampling.LANCZOS,
            box=tuple(np.concatenate(ends).tolist()),
        )
        return _level(np.asarray(reduced), zoom, int(first[0]), int(first[1]))


def mixed(images: list[Frame], shares: list[float]) -> Frame:
    """What two levels show, in their shares."""
    if len(images) == 1:
        return images[0]
    return np.asarray(cv2.addWeighted(images[0], shares[0], images[1], shares[1], 0), np.uint8)


def _zooms(most: float) -> tuple[float, ...]:
    """From 1 to the greatest zoom in even steps."""
    if most < LEAST_ZOOM:
        return (1.0,)
    count = max(1, round(np.log(most) / np.log(LEVEL_STEP)))
    return tuple(float(most ** (k / count)) for k in range(count + 1))


def _level(image: Frame, zoom: float, left: int, top: int) -> Level:
    height, width = image.shape[:2]
    if height * width > MOST_PIXELS:
        return Level(image, zoom, left, top, 1)
    return Level(denser(image), zoom, left, top, 2)


def denser(image: Frame) -> Frame:
    """``[H, W, 3]`` to ``[2 H, 2 W, 3]``: the pixels and, half way between them, a long windowed
    sinc."""
    height, width = image.shape[:2]
    here, between = np.ones(1, np.float32), _between()
    out = np.empty((2 * height, 2 * width, 3), np.uint8)
    across = _filtered(image, between, here)
    out[::2, ::2], out[::2, 1::2] = image, across
    out[1::2, ::2] = _filtered(image, here, between)
    out[1::2, 1::2] = _filtered(across, here, between)
    return out


def _filtered(image: Frame, across: Floats, down: Floats) -> Frame:
    anchor = ((len(across) - 1) // 2, (len(down) - 1) // 2)
    out = cv2.sepFilter2D(
        image, cv2.CV_8U, across, down, anchor=anchor, borderType=cv2.BORDER_REFLECT_101
    )
    return np.asarray(out, np.uint8)


def _between() -> Floats:
    """The kernel that interpolates half way between two pixels."""
    place = np.arange(TAPS) - (TAPS - 1) / 2
    window = np.i0(WINDOW * np.sqrt(1 - (2 * place / TAPS) ** 2)) / np.i0(WINDOW)
    kernel = np.sinc(place) * window
    return np.asarray(kernel / kernel.sum(), np.float32)
