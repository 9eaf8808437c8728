"""Flakes in front of a picture: bright specks on smooth ground, and the picture without them.

What is brighter than the median around it, by more than the texture there varies, are specks; those
are kept that are compact, stand out from their surroundings and stand alone. What a flake adds to
the picture is taken to be cover by something bright: ``I = B + a (255 - B)`` with B filled in from
around it, so that the same flake is faint before a bright sky and plain before a dark wood.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.rendering.disc import disc
from vivant.rendering.plates import continued

SHORT = 480
"""Short side in pixels at which flakes are looked for."""
WIDEST = 25
"""Pixels of that size: what is wider is no flake."""
FAINT, ROUGH = 6.0, 2.5
"""Levels by which a flake is brighter than what is behind it, at least, and in median deviations of
the texture around it."""
LEAST, LONGEST, TRAIL = 3, 50, 100
"""Pixels in a flake at least, and its length at most; that of a drop of rain."""
CALM, FULL, ALONE = 0.4, 0.75, 0.2
"""A flake's surroundings vary by so much of its brightness at most; it fills so much of its convex
hull and of its ellipse at least; of its surroundings others fill so much at most."""
LONG, ACROSS = 1.8, 50.0
"""What is so many times as long as wide falls along its length, which is at most so many degrees
from upright."""
DRAWN = 20
"""Flakes that must be drawn out until their lean is believed."""
STREAK, PARALLEL = 3.0, 10.0
"""Rain is so many times as long as wide, and all of it leans alike but for so many degrees."""
GLOWS, WARM = 150, 50
"""Level of red of an ember, and by how much more than blue."""
SOFT = 0.35
"""Blur of a flake's rim in flakes' half lengths."""

Labels = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Flakes:
    """``N`` flakes of a picture: ``place`` ``[N, 2]`` their centres x, y and ``size`` ``[N]`` their
    lengths in pixels; ``tilt`` ``[N]`` degrees of their long axis from upright, -90..90, and
    ``long`` ``[N]`` how many times as long as wide; ``of`` ``[h, w]`` the number of the flake at
    each pixel, -1 where there is none."""

    place: Floats
    size: Floats
    tilt: Floats
    long: Floats
    of: Labels

    def only(self, own: NDArray[np.bool_]) -> Flakes:
        """Those of the flakes that are ``own`` ``[N]``."""
        again = np.full(len(own) + 1, -1, np.int32)
        again[:-1][own] = np.arange(int(own.sum()))
        return Flakes(
            self.place[own], self.size[own], self.tilt[own], self.long[own], again[self.of]
        )

    @property
    def streaks(self) -> NDArray[np.bool_]:
        """Which of them ``[N]`` are drawn out and lean alike, as rain does."""
        drawn = self.long > STREAK
        if not drawn.any():
            return drawn
        return np.asarray(
            drawn & (np.abs(self.tilt - float(np.median(self.tilt[drawn]))) < PARALLEL)
        )

    @property
    def lean(self) -> float:
        """Degrees from straight down at which they fall, by those that are drawn out in falling; 0
        where few are."""
        drawn = self.tilt[self.long > LONG]
        return float(np.median(drawn)) if len(drawn) >= DRAWN else 0.0


def specks(pixels: Frame) -> tuple[Floats, Floats, NDArray[np.uint8]]:
    """What may be flakes in a picture ``[h, w, 3]`` with a short side of `SHORT`: its brightness,
    how much brighter than its surroundings each pixel is, levels, and where it is by enough."""
    grey = cv2.GaussianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (0, 0), 0.8)
    over = cv2.subtract(grey, cv2.medianBlur(grey, WIDEST), dtype=cv2.CV_32F)
    size = np.minimum(2 * np.abs(over), 255).astype(np.uint8)
    usual = cv2.medianBlur(size, WIDEST).astype(np.float32) / 2
    hot = over > np.maximum(FAINT, ROUGH * usual + 3)
    return grey.astype(np.float32), over, hot.astype(np.uint8)


def flakes_of(pixels: Frame) -> Flakes:
    """The flakes in a picture ``[H, W, 3]``, at its own size."""
    height, width = pixels.shape[:2]
    scale = SHORT / min(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    grey, over, hot = specks(small)
    count, labels, stats, middles = cv2.connectedComponentsWithStats(hot, connectivity=8)
    rows: list[tuple[float, ...]] = []
    numbers = np.full(count, -1, np.int32)
    for number in range(1, count):
        shape = _shape(labels, stats[number], number, over, grey, hot)
        if shape is not None:
            numbers[number] = len(rows)
            rows.append((*middles[number], *shape))
    table = np.array(rows, np.float32).reshape(-1, 5)
    wide = cv2.resize(labels.astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST)
    place = (table[:, :2] + 0.5) / scale - 0.5
    of = numbers[wide.astype(int)]
    kept = np.unique(of[of >= 0])  # a small picture has no pixel of some
    again = np.full(len(rows) + 1, -1, np.int32)
    again[kept] = np.arange(len(kept))
    table, place = table[kept], place[kept]
    return Flakes(place, table[:, 2] / scale, table[:, 3], table[:, 4], again[of])


def embers(flakes: Flakes, pixels: Frame) -> NDArray[np.bool_]:
    """Which flakes ``[N]`` of a picture ``[H, W, 3]`` glow warm."""
    if not len(flakes.size):
        return np.zeros(0, bool)
    x, y = (np.round(flakes.place[:, k]).astype(int) for k in (0, 1))
    colour = cv2.dilate(pixels, np.ones((3, 3), np.uint8))[y, x].astype(np.int16)
    return np.asarray((colour[:, 0] > GLOWS) & (colour[:, 0] - colour[:, 2] > WARM))


def _shape(
    labels: Labels,
    stats: Labels,
    number: int,
    over: Floats,
    grey: Floats,
    hot: NDArray[np.uint8],
) -> tuple[float, float, float] | None:
    """Length, tilt and how many times as long as wide a speck is; None where it is no flake."""
    x, y, w, h, area = (int(v) for v in stats[:5])
    high, wide = labels.shape
    cut = x <= 1 or y <= 1 or x + w >= wide - 1 or y + h >= high - 1
    if area < LEAST or max(w, h) > TRAIL or cut:
        return None
    own = labels[y : y + h, x : x + w] == number
    length, thick, tilt = _ellipse(own)
    across = length > LONG * thick and abs(tilt) > ACROSS
    if max(w, h) > LONGEST and length < STREAK * thick:
        return None
    if across or area < FULL * max(_hull(own), np.pi / 4 * length * thick):
        return None
    pad = max(3, round(0.8 * max(w, h)))
    box = slice(max(0, y - pad), y + h + pad), slice(max(0, x - pad), x + w + pad)
    free = hot[box] == 0
    others = (hot[box].sum() - area) / max(1, free.size - area)
    if others > ALONE or free.sum() < LEAST:
        return None
    peak = float(over[y : y + h, x : x + w][own].max())
    if float(grey[box][free].std()) > CALM * peak:
        return None
    return length, tilt, length / thick


def _hull(own: NDArray[np.bool_]) -> float:
    """Area of the convex hull of a speck's pixels."""
    lines = cv2.convexHull(cv2.findNonZero(own.astype(np.uint8)))
    # a polygon through the middles of pixels lacks half a pixel all around
    return float(cv2.contourArea(lines) + cv2.arcLength(lines, True) / 2 + 1)


def _ellipse(own: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Length and width of the ellipse with a speck's moments, and its tilt from upright,
    degrees."""
    y, x = np.nonzero(own)
    xx, yy = float(x.var()) + 0.08, float(y.var()) + 0.08
    xy = float(((x - x.mean()) * (y - y.mean())).mean())
    root = float(np.hypot((xx - yy) / 2, xy))
    large, small = (xx + yy) / 2 + root, max((xx + yy) / 2 - root, 0.02)
    tilt = 0.5 * np.degrees(np.arctan2(2 * xy, yy - xx))
    return 4 * large**0.5, 4 * small**0.5, float(tilt)


def lifted(pixels: Frame, flakes: Flakes) -> tuple[Frame, Floats, Labels]:
    """The picture without its flakes, how much they cover of it ``[h, w, 3]`` 0..1, and the number
    of the flake at each pixel, rims and all."""
    there = flakes.of >= 0
    half = float(np.median(flakes.size)) / 2 if len(flakes.size) else 1.0
    of = cv2.dilate(flakes.of.astype(np.float32), disc(0.6 * half)).astype(np.int32)
    of[there] = flakes.of[there]
    around = cv2.dilate((of >= 0).astype(np.uint8), np.ones((3, 3), np.uint8))
    behind = continued(pixels, 1.0 - around.astype(np.float32))
    soft = cv2.GaussianBlur((of >= 0).astype(np.float32), (0, 0), max(0.6, SOFT * half))
    soft = np.clip(2 * soft - 0.6, 0, 1) * (of >= 0)
    added = np.round(soft[..., None] * np.maximum(pixels.astype(np.float32) - behind, 0))
    beneath = pixels.astype(np.float32) - added
    cover = added / np.maximum(255 - beneath, 1)
    return beneath.astype(np.uint8), np.asarray(cover, np.float32), of
