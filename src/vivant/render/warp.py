"""The picture warped by the textures of a frame, as seen by the camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.render.advect import Layers, grid_of
from vivant.render.blend import mix
from vivant.render.camera import zoom_of
from vivant.render.parameters import Rendering
from vivant.render.source import Source
from vivant.render.work import WorkMotion

TILE = 128
"""Pixels; a tile in which one texture is seen alone is fetched once."""
ALONE = 0.004
"""A texture of less weight is not seen."""

At = tuple[slice, slice]


@dataclass(frozen=True)
class Warp:
    """A picture and its motion on the work grid, with what every frame needs: ``grid``
    ``[H, W, 2]`` pixel places, ``box`` the rectangle outside which nothing ever moves (None where
    nothing moves at all), ``held`` ``[H, W]`` what must not move."""

    source: Source
    motion: WorkMotion
    grid: Floats
    box: At | None
    held: NDArray[np.bool_] | None
    rendering: Rendering

    @staticmethod
    def of(
        source: Source,
        motion: WorkMotion,
        held: NDArray[np.bool_] | None,
        rendering: Rendering,
    ) -> Warp:
        """Everything that frames have in common."""
        box = _moving_box(motion, *source.size)
        return Warp(source, motion, grid_of(source.size), box, held, rendering)

    def frame(self, parts: Layers, affine: Floats | None) -> Frame:
        """One frame ``[H, W, 3]``; ``affine`` leads from its pixels to the picture's."""
        if affine is not None:
            return self._viewed(parts, affine)
        out = self.source.fitted.copy()
        if self.box is None:
            return out
        places = [(self.grid + d)[self.box] for d in map(self.full, (parts.even, parts.odd))]
        share = self.full_share(parts)[self.box]
        out[self.box] = self._woven(places[0], places[1], share, 1.0)
        if self.held is not None:
            np.copyto(out, self.source.fitted, where=self.held[..., None])
        return out

    def _viewed(self, parts: Layers, affine: Floats) -> Frame:
        """Motion and camera at once."""
        place, zoom = cv2.transform(self.grid, affine), zoom_of(affine)
        if self.box is None:
            return self.source.fetch(place, zoom)

        def seen(values: Floats) -> Floats:
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            size, border = self.source.size, cv2.BORDER_REPLICATE
            return np.asarray(cv2.warpAffine(values, affine, size, flags=flags, borderMode=border))

        even, odd = (place + seen(self.free(self.full(d))) for d in (parts.even, parts.odd))
        return self._woven(even, odd, seen(self.full_share(parts)), zoom)

    def free(self, displacement: Floats) -> Floats:
        """A displacement ``[H, W, 2]`` without what is held."""
        if self.held is not None:
            displacement[self.held] = 0
        return displacement

    def _woven(self, even: Floats, odd: Floats, share: Floats, zoom: float) -> Frame:
        """Both textures, each fetched from its places ``[h, w, 2]`` where it is seen, mixed."""
        a = np.empty((*share.shape, 3), np.uint8)
        b = np.empty_like(a)
        both = False
        for tile in _tiles(share.shape):
            part = share[tile]
            some_even, some_odd = part.min() < 1 - ALONE, part.max() > ALONE
            if some_even:
                a[tile] = self.source.fetch(even[tile], zoom)
            if some_odd:
                b[tile] = self.source.fetch(odd[tile], zoom)
            if not some_even:
                a[tile] = b[tile]
            if not some_odd:
                b[tile] = a[tile]
            both = both or bool(some_even and some_odd)
        return mix(a, b, share, self.rendering) if both else a

    def full(self, displacement: Floats) -> Floats:
        """A displacement of the work grid in pixels of the frame, ``[H, W, 2]``."""
        size = self.source.size
        ratio = np.array([s / w for s, w in zip(size, self.motion.size, strict=True)], np.float32)
        scaled = displacement * ratio
        return np.asarray(cv2.resize(scaled, size, interpolation=cv2.INTER_LINEAR), np.float32)

    def full_share(self, parts: Layers) -> Floats:
        """Weight of the odd texture ``[H, W]``, 0 where both show the same."""
        across, down = cv2.split(cv2.absdiff(parts.even, parts.odd))
        apart = np.maximum(across, down) > self.rendering.least_shift
        share = cv2.resize(parts.share * apart, self.source.size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(share, np.float32)


def _tiles(shape: tuple[int, ...]) -> list[At]:
    rows, columns = (
        [slice(k, min(k + TILE, side)) for k in range(0, side, TILE)] for side in shape[:2]
    )
    return [(row, column) for row in rows for column in columns]


def _moving_box(motion: WorkMotion, width: int, height: int) -> At | None:
    """The rectangle outside which nothing ever moves, None where nothing moves at all."""
    ww, hw = motion.size
    moves = np.abs(motion.velocity).max(axis=(0, 3)) > 0
    if not moves.any():
        return None
    rows, columns = np.flatnonzero(moves.any(axis=1)), np.flatnonzero(moves.any(axis=0))
    sx, sy = width / ww, height / hw
    return (
        slice(max(0, int((rows[0] - 1) * sy)), min(height, int((rows[-1] + 2) * sy) + 1)),
        slice(max(0, int((columns[0] - 1) * sx)), min(width, int((columns[-1] + 2) * sx) + 1)),
    )
