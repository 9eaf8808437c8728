"""What is laid over the scene: lettering in rows, and even panels of programs. It must hold.

Lettering is found as strokes: thin, sharp parts brighter or darker than what is around them, each
of one colour, of like heights and colours, side by side in a row (after Epshtein, Ofek, Wexler:
"Detecting text in natural scenes with stroke width transform", 2010, with a top hat for the
strokes). A panel is a large area without any grain whose outline nearly fills its upright box.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Frame, Picture, Plane

Cells = NDArray[np.bool_]

WORK = 1280
"""Long side in pixels at which overlays are looked for."""
STROKE = 1 / 40
"""Widest stroke as a share of the short side."""
STEP = 36
"""Levels by which a stroke differs from what is around it."""
GRAIN = 10
"""Levels by which neighbours inside a stroke differ."""
THIN, THIN_STEP = 7, 60
"""Strokes of small letters, which have no even inside: their width in pixels, and their step."""
CORE = 0.5
"""Share of a letter's pixels that stand out less than its core."""
LOW, TALL = 7, 0.2
"""Height of a letter: least in pixels, most as a share of the short side."""
UNEVEN = 10.0
"""Standard deviation in levels inside a letter."""
ALIKE = 24
"""Levels by which the letters of a row differ."""
LETTERS = 5
"""Letters that make a row."""
REACH = 0.16
"""Heights of a letter by which its outline and shadow reach beyond it."""
SHADES = 0.75
"""Standard deviation in levels of a panel's colour; a sky without grain still has a gradient."""
BESIDE, NEAR = 2.0, 56
"""Heights by which a row may go on, and levels by which the rest of it differs from its colour."""
PANEL, FILLED = 0.004, 0.86
"""Least panel as a share of the picture, and how much of its box it fills."""
MOST_CANDIDATES = 4000
KEPT = 4
"""Pictures that are remembered, since one clip asks several times."""
_found: OrderedDict[str, Cells | None] = OrderedDict()


@dataclass(frozen=True)
class Letter:
    """A part that may be a letter: its box in pixels, ``colour`` (R, G, B)."""

    left: int
    top: int
    width: int
    height: int
    colour: tuple[float, float, float]


def overlay_of(picture: Picture) -> Cells | None:
    """As `find_overlay`, remembered for the last few pictures that have a hash."""
    if not picture.sha256:
        return find_overlay(picture.pixels)
    if picture.sha256 not in _found:
        _found[picture.sha256] = find_overlay(picture.pixels)
        while len(_found) > KEPT:
            _found.popitem(last=False)
    return _found[picture.sha256]


def find_overlay(pixels: Frame) -> Cells | None:
    """True where something is laid over a picture ``[H, W, 3]``, ``[H, W]``; None where nothing
    is."""
    height, width = pixels.shape[:2]
    if min(height, width) < 48:
        return None
    scale = min(1.0, WORK / max(height, width))
    size = (round(width * scale), round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    found = np.maximum(_panels(small), _lettering(small))
    if not found.any():
        return None
    whole = cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole > 0, np.bool_)


def _panels(small: Frame) -> Plane:
    """Even panels with what stands on them, 255 = panel."""
    kernel = np.ones((3, 3), np.uint8)
    spread = cv2.subtract(cv2.dilate(small, kernel), cv2.erode(small, kernel)).max(axis=2)
    clipped = (small.min(axis=2) >= 250) | (small.max(axis=2) <= 2)
    even = ((spread <= 1) & ~clipped).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(even, connectivity=4)
    out = np.zeros(even.shape, np.uint8)
    for number in np.flatnonzero(stats[:, 4] >= PANEL * even.size):
        left, top, wide, high, _ = (int(v) for v in stats[number])
        if number == 0:
            continue
        inside = (labels[top : top + high, left : left + wide] == number).astype(np.uint8)
        outlines, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        whole = cv2.drawContours(np.zeros_like(inside), outlines, -1, 255, cv2.FILLED)
        shades = small[top : top + high, left : left + wide][inside > 0]
        if (whole > 0).mean() >= FILLED and shades.std(axis=0).max() <= SHADES:
            out[top : top + high, left : left + wide] |= whole
    return np.asarray(cv2.dilate(out, np.ones((5, 5), np.uint8)), np.uint8)


def _lettering(small: Frame) -> Plane:
    """Rows of letters with their outlines, 255 = lettering."""
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    out = np.zeros(grey.shape, np.uint8)
    even = _even(small)
    wide = max(5, round(STROKE * min(grey.shape)) | 1)
    for hat in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
        bold = cv2.morphologyEx(grey, hat, np.ones((wide, wide), np.uint8))
        _mark_rows(out, small, (bold > STEP) & even, bold)
        thin = cv2.morphologyEx(grey, hat, np.ones((THIN, THIN), np.uint8))
        _mark_rows(out, small, thin > THIN_STEP, thin)
    return out


def _mark_rows(out: Plane, small: Frame, strokes: Cells, hat: Plane) -> None:
    """Put the letters among ``strokes`` ``[H, W]`` into ``out``; ``hat`` says how far each pixel
    stands out."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(strokes.astype(np.uint8), connectivity=8)
    for row in _rows(_letters(small, labels, stats, hat)):
        _mark(out, small, row)


def _even(small: Frame) -> Cells:
    """Pixels of a square of two by two of one colour: what is inside a stroke, not its edge."""
    pair = np.ones((2, 2), np.uint8)
    high, low = cv2.dilate(small, pair), cv2.erode(small, pair)
    flat = (cv2.subtract(high, low).max(axis=2) <= GRAIN).astype(np.uint8)
    return np.asarray(cv2.dilate(flat, pair, anchor=(0, 0)) > 0, np.bool_)


def _letters(
    small: Frame, labels: NDArray[np.int32], stats: NDArray[np.int32], hat: Plane
) -> list[Letter]:
    """The parts that may be letters by their size, shape and even colour."""
    wide, high, area = stats[:, 2], stats[:, 3], stats[:, 4]
    tall = TALL * min(small.shape[:2])
    fits = (high >= LOW) & (high <= tall) & (wide <= 4 * high) & (area >= 0.12 * wide * high)
    numbers = [int(n) for n in np.flatnonzero(fits) if n][:MOST_CANDIDATES]
    out = []
    for number in numbers:
        left, top, width, height, _ = (int(v) for v in stats[number])
        place = np.s_[top : top + height, left : left + width]
        inside = (labels[place] == number).astype(np.uint8)
        values = small[place][
            (inside > 0) & (hat[place] >= np.quantile(hat[place][inside > 0], CORE))
        ]
        colour = np.median(values, axis=0)
        if np.abs(values - colour).mean(axis=0).max() <= UNEVEN:
            red, green, blue = (float(v) for v in colour)
            out.append(Letter(left, top, width, height, (red, green, blue)))
    return out


def _rows(letters: list[Letter]) -> list[list[Letter]]:
    """The rows of `LETTERS` or more in which letters stand."""
    if len(letters) < LETTERS:
        return []
    x, y, w, h = np.array([(o.left, o.top, o.width, o.height) for o in letters], np.float32).T
    colours = np.array([one.colour for one in letters], np.float32)
    parent = list(range(len(letters)))

    def root(k: int) -> int:
        while parent[k] != k:
            k = parent[k]
        return k

    for k in range(len(letters)):
        tall = np.maximum(h, h[k])
        beside = (x > x[k]) & (x - x[k] - w[k] < 1.0 * tall)
        level = np.minimum(np.abs(y + h - y[k] - h[k]), np.abs(y - y[k])) < 0.15 * tall
        like = (tall < 2.0 * np.minimum(h, h[k])) & (np.abs(colours - colours[k]).max(1) < ALIKE)
        for other in np.flatnonzero(beside & level & like):
            parent[root(int(other))] = root(k)
    roots = [root(k) for k in range(len(letters))]
    rows: dict[int, list[Letter]] = {}
    for one, number in zip(letters, roots, strict=True):
        rows.setdefault(number, []).append(one)
    return [row for row in rows.values() if len(row) >= LETTERS]


def _mark(out: Plane, small: Frame, row: list[Letter]) -> None:
    """Put a row with its outlines into ``out``, and what has its colour beside it: a letter that
    was not told from what is behind it."""
    tall = max(one.height for one in row)
    ahead, above = round(BESIDE * tall), round(0.35 * tall)
    top, left = max(0, min(o.top for o in row) - above), max(0, min(o.left for o in row) - ahead)
    bottom = max(o.top + o.height for o in row) + above
    right = max(o.left + o.width for o in row) + ahead
    place = np.s_[top:bottom, left:right]
    colour = np.median([one.colour for one in row], axis=0)
    like = np.abs(small[place] - colour.astype(np.float32)).max(axis=2) < NEAR
    reach = max(3, round(REACH * tall))
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    out[place] |= cv2.dilate(like.astype(np.uint8) * 255, square)
