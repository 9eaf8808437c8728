"""What surrounds the scene: photo borders, bars, caption bands. They are no scene and must hold.

A border is plain, reaches from the picture's edge to a straight line, and ends there at once.
Bands of one colour are peeled off side by side until none is left; writing on a band (a caption)
does not hide it. A clear sky is plain, too, but hardly ever to the last level, and its end is
hardly ever a straight line; where a single side alone would be a border it must be even, more so
where it is neither black nor white.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Frame

Cells = NDArray[np.bool_]

WORK = 480
"""Long side in pixels at which borders are looked for."""
TOLERANCE = 16
"""Levels by which a border's pixels differ from its colour: scans and JPEG are noisy."""
PLAIN, CLEAR, WRITTEN, ENDED = 0.985, 0.93, 0.3, 0.35
"""Shares of a line in the border's colour: of its first lines, of the gap before its end, of lines
with writing, and of the lines behind its end."""
LEAST, MOST = 0.008, 0.45
"""Depth of a border as a share of the side."""
EVEN, FLAT = 2.0, 1.5
"""Standard deviation in levels of a border that stands alone: black or white, and of any other
colour (bars of programs and telephones; none of 447 photographs has such a band)."""
BLACK, WHITE, NEUTRAL = 20, 235, 12
TURNS = {"top": 0, "right": 1, "bottom": 2, "left": 3}
"""Quarter turns that bring a side to the top."""


@dataclass(frozen=True)
class Band:
    """A border on one side: its ``depth`` in lines, ``colour`` (R, G, B), and how even it is."""

    depth: int
    colour: tuple[float, float, float]
    deviation: float

    @property
    def stands_alone(self) -> bool:
        """Whether it is a border without one on another side."""
        low, high = min(self.colour), max(self.colour)
        neutral = high - low <= NEUTRAL and (high <= BLACK or low >= WHITE)
        return self.deviation <= (EVEN if neutral else FLAT)


def find_surround(pixels: Frame) -> Cells | None:
    """True where a picture ``[H, W, 3]`` is no scene, ``[H, W]``; None where all of it is."""
    box = inner_box(pixels)
    height, width = pixels.shape[:2]
    if box == (0, 0, width, height):
        return None
    left, top, right, bottom = box
    out = np.ones((height, width), bool)
    out[top:bottom, left:right] = False
    return out


def inner_box(pixels: Frame) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the scene in a picture ``[H, W, 3]``, in pixels."""
    height, width = pixels.shape[:2]
    scale = min(1.0, WORK / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    depths = _peeled(small)
    if not any(depths.values()):
        return 0, 0, width, height
    exact = {side: _exact(pixels, side, depth / scale) for side, depth in depths.items()}
    return exact["left"], exact["top"], width - exact["right"], height - exact["bottom"]


def _peeled(small: Frame) -> dict[str, int]:
    """Depth of the border on every side, in lines of ``small``."""
    depths = dict.fromkeys(TURNS, 0)
    for _ in range(3):  # a frame in a frame, and no more
        found: dict[str, Band] = {}
        inner = dict(depths)
        for _ in range(2):  # the sides of a wide border hide one another's ends
            for side in TURNS:
                band = None if side in found else _band(_view(small, inner, side))
                if band is not None:
                    found[side] = band
                    inner[side] += band.depth
        kept = {side: band for side, band in found.items() if _is_border(side, found)}
        if not kept:
            break
        for side, band in kept.items():
            depths[side] += band.depth
    return depths


def _is_border(side: str, found: dict[str, Band]) -> bool:
    """A band that stands alone, or has like ones: on the other side, or on two more."""
    band = found[side]
    alike = [
        name
        for name, other in found.items()
        if name != side and np.abs(np.subtract(band.colour, other.colour)).max() < TOLERANCE
    ]
    opposite = {"top": "bottom", "bottom": "top", "left": "right", "right": "left"}[side]
    return band.stands_alone or opposite in alike or len(alike) >= 2


def _view(small: Frame, depths: dict[str, int], side: str) -> Frame:
    """What is left of the picture, turned so that ``side`` is at the top."""
    height, width = small.shape[:2]
    inner = small[
        depths["top"] : height - depths["bottom"], depths["left"] : width - depths["right"]
    ]
    return np.asarray(np.rot90(inner, TURNS[side]))


def _band(view: Frame) -> Band | None:
    """The border at the top of ``view``, None where there is none."""
    height, width = view.shape[:2]
    if height < 24 or width < 24:
        return None
    first = max(1, round(LEAST * height))
    colour = np.median(view[:first].reshape(-1, 3), axis=0)
    near = np.abs(view.astype(np.int16) - colour).max(axis=2) <= TOLERANCE
    share = near.mean(axis=1)
    if share[:first].min() < PLAIN:
        return None
    ended = np.flatnonzero(share < WRITTEN)
    depth = int(ended[0]) if len(ended) else height
    while depth > first and share[depth - 1] < CLEAR:  # the line in which the border ends
        depth -= 1
        if ended.size and ended[0] - depth > 2:
            return None
    behind = share[depth + 2 : depth + 2 + max(2, height // 30)]
    if not LEAST * height <= depth <= MOST * height or behind.mean() > ENDED:
        return None
    plain = view[:depth][near[:depth]].astype(np.float32)
    red, green, blue = (float(v) for v in colour)
    return Band(depth, (red, green, blue), float(plain.std(axis=0).max()))


def _exact(pixels: Frame, side: str, depth: float) -> int:
    """The end of a border in lines of the full picture, found near ``depth``: where most of a line
    changes at once. What is half border is border."""
    if depth == 0:
        return 0
    view = np.rot90(pixels, TURNS[side])
    reach = max(2, round(2 * max(pixels.shape[:2]) / WORK))
    start = max(0, round(depth) - reach)
    lines = view[start : round(depth) + reach + 2].astype(np.int16)
    jump = np.abs(np.diff(lines, axis=0)).max(axis=2)
    strong = (jump > TOLERANCE // 2).mean(axis=1)
    likely = np.flatnonzero(strong > 0.5 * strong.max())
    return start + int(likely[-1]) + 1 if len(likely) else round(depth)
