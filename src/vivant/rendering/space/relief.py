"""A picture in relief: what is near and what is far, in sheets with soft edges.

Disparity is inverse depth: 0 infinitely far, 1 the nearest. A sheet is what belongs together (a
kind, a thing): its disparity is smooth and goes on beyond its matte, so that at its edge nothing
lies half way between near and far.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Plane

SOFT = 0.012
"""Disparity over which a smooth surface passes from one slice to the next."""
JUMP = 0.05
"""Disparity that neighbouring places differ by where one hides the other."""
LEAST_GAIN = 0.02
"""Edges that a threshold must part: their length in short sides times what they differ by."""
THROUGH = 0.02
"""What it costs to cut a pixel of a surface that runs on."""
SPACED = 0.06
"""Thresholds are so far apart."""
SIDE = 180
"""Short side at which the relief is looked over for edges."""


Shape = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Sheet:
    """A ``matte`` ``[H, W]`` (255 = its own), and its ``disparity`` ``[h, w]`` 0..1 over the whole
    picture, on any grid."""

    matte: Plane
    disparity: Floats


@dataclass(frozen=True, eq=False)
class Relief:
    """The ``sheets`` of a picture; their mattes sum to 255.

    Raises ValueError where there is none, or where sizes differ.
    """

    sheets: tuple[Sheet, ...]
    _kept: dict[tuple[int, int], list[tuple[Floats, Floats]]] = field(
        default_factory=dict, repr=False
    )

    def __post_init__(self) -> None:
        if len({sheet.matte.shape for sheet in self.sheets}) != 1:
            raise ValueError("a relief needs sheets of one size")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        height, width = self.sheets[0].matte.shape
        return height, width

    def at(self, shape: tuple[int, int]) -> Floats:
        """Disparity ``[h, w]`` at a size, mixed at soft edges."""
        total, weight = np.zeros(shape, np.float32), np.full(shape, 1e-3, np.float32)
        for matte, disparity in self._sized(shape):
            total += matte * disparity
            weight += matte
        return np.asarray(total / weight, np.float32)

    def nearer(self, threshold: float, shape: tuple[int, int]) -> Floats:
        """Share ``[h, w]`` 0..1 of each pixel that is nearer than a disparity."""
        total, weight = np.zeros(shape, np.float32), np.full(shape, 1e-3, np.float32)
        for matte, disparity in self._sized(shape):
            total += matte * np.clip((disparity - threshold) / SOFT + 0.5, 0, 1)
            weight += matte
        return np.asarray(total / weight, np.float32)

    def widened(self, margin: int) -> Relief:
        """The relief of the picture going on mirrored by ``margin`` pixels."""
        if not margin:
            return self
        wide = (
            cv2.copyMakeBorder(s.matte, *(margin,) * 4, cv2.BORDER_REFLECT_101) for s in self.sheets
        )
        low, size = (-margin, -margin), (self.shape[0] + 2 * margin, self.shape[1] + 2 * margin)
        return Relief(
            tuple(
                Sheet(np.asarray(matte, np.uint8), _part(sheet.disparity, self.shape, low, size))
                for sheet, matte in zip(self.sheets, wide, strict=True)
            )
        )

    def middle(self, shape: Shape) -> Relief:
        """The relief of the middle of the picture, ``shape`` rows and columns."""
        if shape == self.shape:
            return self
        top, left = ((a - b) // 2 for a, b in zip(self.shape, shape, strict=True))
        box = np.s_[top : top + shape[0], left : left + shape[1]]
        return Relief(
            tuple(
                Sheet(s.matte[box], _part(s.disparity, self.shape, (top, left), shape))
                for s in self.sheets
            )
        )

    def _sized(self, shape: tuple[int, int]) -> list[tuple[Floats, Floats]]:
        if shape in self._kept:
            return self._kept[shape]
        size = shape[::-1]
        out = []
        for sheet in self.sheets:
            matte = cv2.resize(sheet.matte, size, interpolation=_filter(sheet.matte, shape))
            if matte.any():
                far = cv2.resize(sheet.disparity, size, interpolation=cv2.INTER_LINEAR)
                out.append((matte.astype(np.float32) / 255, far))
        self._kept[shape] = out
        return out

    def edges(self, shape: tuple[int, int], reach: int) -> NDArray[np.bool_]:
        """Where ``[h, w]`` near and far meet within ``reach`` pixels."""
        kernel = np.ones((2 * reach + 1,) * 2, np.uint8)
        far = self.at(shape)
        return np.asarray(cv2.dilate(far, kernel) - cv2.erode(far, kernel) > JUMP)

    def thresholds(self, most: int = 4) -> tuple[float, ...]:
        """Up to ``most`` disparities, rising, that part the most of what hides from what is
        hidden."""
        height, width = self.shape
        scale = SIDE / min(height, width)
        far = self.at((round(height * scale), round(width * scale)))
        kernel = np.ones((3, 3), np.uint8)
        low, high = cv2.erode(far, kernel), cv2.dilate(far, kernel)
        jumps = (high - low > JUMP) & ((high - low) >= cv2.dilate(high - low, kernel) - 1e-6)
        lows, highs = low[jumps], high[jumps]
        places = np.linspace(0.03, 0.97, 48)
        parts = (lows[:, None] < places - 0.01) & (highs[:, None] > places + 0.01)
        smooth = high - low <= JUMP
        bottoms, tops = low[smooth], high[smooth]
        through = np.array([((bottoms < t) & (tops > t)).sum() for t in places])
        found: list[float] = []
        for _ in range(most):
            gain = (parts * (highs - lows)[:, None]).sum(0) - THROUGH * through
            if gain.max() < LEAST_GAIN * SIDE:
                break
            level = places[gain >= 0.97 * gain.max()]  # the middle of what does as well
            best = int(np.abs(places - np.median(level)).argmin())
            if not found and gain[0] > LEAST_GAIN * SIDE:
                best = 0  # the infinitely far is a slice of its own: nothing is cut by it
            found.append(float(places[best]))
            parts = parts & ~parts[:, best : best + 1]
            parts[:, np.abs(places - found[-1]) < SPACED] = False
        return tuple(sorted(found))


def _part(values: Floats, whole: Shape, low: tuple[int, int], part: Shape) -> Floats:
    """A grid ``[h, w]`` over a picture of ``whole`` rows and columns, over the ``part`` of it that
    begins at ``low``; mirrored where it reaches beyond."""
    at = []
    for cells, pixels, first, length in zip(values.shape, whole, low, part, strict=True):
        share = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        at.append((share * length + first) / pixels * cells - 0.5)
    x, y = np.meshgrid(at[1].astype(np.float32), at[0].astype(np.float32))
    border = cv2.BORDER_REFLECT_101
    return np.asarray(cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=border), np.float32)


def _filter(plane: Plane, shape: tuple[int, int]) -> int:
    return cv2.INTER_AREA if shape[0] < plane.shape[0] else cv2.INTER_LINEAR
