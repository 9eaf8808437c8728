"""What is laid over the scene: lettering, marks, and even panels of programs. It must hold.

A small network says how surely lettering lies on each part of a picture (`vivant.scene.lettering`);
where it is sure, all that it thinks likely there is held, and the gaps in and between letters of a
line: a little more sky beside a letter that holds is better than a torn letter. A panel is a large
area without any grain whose outline nearly fills its upright box.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Picture, Plane
from vivant.scene.lettering import STRIDE, lettering

Cells = NDArray[np.bool_]

WORK = 1280
"""Long side in pixels at which overlays are looked for."""
LIKELY, SURE = 0.15, 0.88
"""How surely a part is lettering that is held, and how surely the surest of its cells must be."""
FAINT, EVEN, LONG = 0.7, 0.36, 2.5
"""What is so many times as wide as high may be a line of faint lettering: how surely its surest
cell is enough then, where it is on average as sure as that."""
GAP = (7, 3)
"""Cells across and down of the gaps that are closed."""
FULL, TALL = 0.6, 0.15
"""Share of its upright box that a line fills which is held as a box, and its height at most as a
share of the short side."""
SHADES = 0.75
"""Standard deviation in levels of a panel's colour; a sky without grain still has a gradient."""
PANEL, FILLED = 0.004, 0.86
"""Least panel as a share of the picture, and how much of its box it fills."""
KEPT = 4
"""Pictures that are remembered, since one clip asks several times."""
_found: OrderedDict[str, Cells | None] = OrderedDict()


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
    high, low = cv2.dilate(small, kernel), cv2.erode(small, kernel)
    spread = _over_channels(cv2.max, cv2.subtract(high, low))
    clipped = (_over_channels(cv2.min, small) >= 250) | (_over_channels(cv2.max, small) <= 2)
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


def _over_channels(choose: Callable[[Plane, Plane], Plane], values: Frame) -> Plane:
    red, green, blue = cv2.split(values)
    return choose(choose(red, green), blue)


def _lettering(small: Frame) -> Plane:
    """Lettering and marks with what is close around them, 255 = held."""
    held = held_cells(lettering(small))
    whole = cv2.resize(held * np.uint8(255), None, fx=STRIDE, fy=STRIDE)
    return np.asarray(whole[: small.shape[0], : small.shape[1]])


def held_cells(sure: Floats) -> NDArray[np.uint8]:
    """Which cells are held, 0 or 1, where lettering lies on each as ``sure`` ``[h, w]`` says."""
    found = _known(sure)
    closed = cv2.morphologyEx(found, cv2.MORPH_CLOSE, np.ones(GAP[::-1], np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    for left, top, wide, high, area in stats[1:]:
        if area >= FULL * wide * high and high <= TALL * min(sure.shape):
            closed[top : top + high, left : left + wide] = 1
    return np.asarray(cv2.dilate(closed, np.ones((3, 3), np.uint8)), np.uint8)


def _known(sure: Floats) -> NDArray[np.uint8]:
    """The parts that are likely lettering, 0 or 1, of which it is sure enough."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (sure > LIKELY).astype(np.uint8), connectivity=8
    )
    peak = np.zeros(count, np.float32)
    np.maximum.at(peak, labels.ravel(), sure.ravel())
    mean = np.bincount(labels.ravel(), sure.ravel(), count) / np.maximum(stats[:, 4], 1)
    line = stats[:, 2] >= LONG * stats[:, 3]
    known = (peak >= SURE) | (line & (peak >= FAINT) & (mean >= EVEN))
    known[0] = False
    return known[labels].astype(np.uint8)
