"""The picture warped by the textures of a frame, as seen by the camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.rendering.advect import Layers, grid_of
from vivant.rendering.blend import At, mix
from vivant.rendering.camera import zoom_of
from vivant.rendering.parameters import Rendering
from vivant.rendering.source import Source
from vivant.rendering.work import WorkMotion

LEAST_PIXELS = 0.03
"""A shift of fewer pixels of the frame is none."""
TILE = 96
"""Pixels; a tile in which one texture is seen alone is fetched once."""
ALONE = 0.004
"""A texture of less weight is not seen."""


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
        pixels = self.source.fitted
        out = pixels.copy()
        if self.box is None:
            return out
        moved = [self.full(d)[self.box] for d in parts.seen]
        share = self.full_share(parts)[self.box]
        whole = self.source.whole

        def fetch(tile: At, shift: Floats) -> Frame:
            if cv2.norm(shift, cv2.NORM_INF) < LEAST_PIXELS:
                return pixels[self.box][tile]
            return whole.fetch(whole.places(cv2.add(self.grid[self.box][tile], shift)))

        out[self.box] = _woven(moved, share, fetch, self.rendering)
        if self.held is not None:
            np.copyto(out, pixels, where=self.held[..., None])
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

        def fetch(tile: At, shift: Floats) -> Frame:
            return self.source.fetch(cv2.add(place[tile], shift), zoom)

        moved = [seen(self.free(self.full(d))) for d in parts.seen]
        return _woven(moved, seen(self.full_share(parts)), fetch, self.rendering)

    def free(self, displacement: Floats) -> Floats:
        """A displacement ``[H, W, 2]`` without what is held."""
        if self.held is not None:
            displacement[self.held] = 0
        return displacement

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


def _woven(
    moved: list[Floats],
    share: Floats,
    fetch: Callable[[At, Floats], Frame],
    rendering: Rendering,
) -> Frame:
    """The textures of displacements ``moved`` ``[h, w, 2]``, each fetched where it is seen, and
    mixed with the weight ``share`` ``[h, w]`` of the last."""
    first, last = moved[0], moved[-1]
    a = np.empty((*share.shape, 3), np.uint8)
    b = np.empty_like(a)
    mixed = cv2.minMaxLoc(share)[1] > ALONE
    both = []

    def work(tile: At) -> None:
        low, high, _, _ = cv2.minMaxLoc(share[tile])
        if low < 1 - ALONE:
            a[tile] = fetch(tile, first[tile])
        if high > ALONE:
            b[tile] = fetch(tile, last[tile])
        if low >= 1 - ALONE:
            a[tile] = b[tile]
        elif high <= ALONE and mixed:
            b[tile] = a[tile]
        elif high > ALONE:
            both.append(tile)

    for tile in _tiles(share.shape, TILE if mixed else 2 * TILE):
        work(tile)
    return mix(a, b, share, both, rendering) if both else a


def _tiles(shape: tuple[int, ...], side: int) -> list[At]:
    rows, columns = (
        [slice(k, min(k + side, end)) for k in range(0, end, side)] for end in shape[:2]
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
