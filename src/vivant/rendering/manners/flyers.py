"""Small things in the open sky: birds, kites, balloons, aircraft, and the picture without them.

What is far darker than the median of the sky around it, or of a colour that no sky has there, ends
as sharply as no cloud does, and has sky on all sides. What is only paler is left to the sky: small
clouds look like gulls.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Plane
from vivant.rendering.disc import disc
from vivant.rendering.plates import continued

SHORT = 480
"""Short side in pixels at which they are looked for."""
AROUND = 41
"""Pixels of that size over which the sky is compared."""
FAINT, ROUGH, DARKER = 20.0, 5.0, 0.2
"""Levels by which they are darker, at least, in median deviations of the sky around, and as a share
of its light."""
LEAST, LONGEST = 5, 40
"""Pixels in one at least, and its length at most."""
COLOUR = 24.0
"""How far (Lab, a and b) a colour is from that of the sky around."""
BELOW = 0.85
"""It is darker than so much of the darkest of the sky."""
STEEP = 0.25
"""Share of their contrast by which their rim changes in a pixel."""
ALONE = 0.9
"""Share of sky around them."""
CALM = 0.3
"""The sky around varies by so much of their contrast at most."""
NEAREST = 1 / 18
"""Short sides to anything that is no sky, at least: leaves before it belong to a tree."""
MOST = 80
"""If there are more, they are none: leaves, rain on a window, grain."""

Labels = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Flyer:
    """One thing in a picture: what it ``covers`` ``[h, w]`` 0..1 of it and its ``light``
    ``[h, w, 3]`` (levels times cover), its left and upper edge and its ``size``, pixels."""

    covers: Floats
    light: Floats
    left: int
    top: int
    size: float


def open_sky(matte: Plane) -> Plane:
    """A sky's matte ``[H, W]`` without small holes, which things in it have left."""
    holes = (matte < 250).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(holes, connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] < 0.004 * matte.size
    small[0] = False
    return np.where(small[labels], np.uint8(255), matte) if count > 1 else matte


def found_in(pixels: Frame, sky: Plane) -> NDArray[np.bool_]:
    """Where small things are in the open ``sky`` ``[H, W]`` of a picture ``[H, W, 3]``."""
    height, width = sky.shape
    scale = SHORT / min(height, width)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    open_ = cv2.resize(open_sky(sky), size, interpolation=cv2.INTER_AREA) > 200
    none = np.zeros((height, width), bool)
    if open_.mean() < 0.03:
        return none
    kept = _parts(small, open_)
    if not kept or len(kept) > MOST:
        return none
    plane = np.maximum.reduce(kept).astype(np.uint8)
    wide = cv2.resize(cv2.dilate(plane, np.ones((3, 3), np.uint8)), (width, height),
                      interpolation=cv2.INTER_NEAREST)  # fmt: skip
    return np.asarray(wide > 0)


def _parts(small: Frame, sky: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Each thing ``[h, w]``."""
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    # what is no sky is filled in, so that no skyline is near
    even = continued(small, cv2.erode(sky.astype(np.uint8), np.ones((3, 3))).astype(np.float32))
    usual = cv2.medianBlur(cv2.cvtColor(even, cv2.COLOR_RGB2GRAY), AROUND).astype(np.float32)
    away = cv2.distanceTransform(np.pad(sky, 1, "edge").astype(np.uint8), cv2.DIST_L2, 3)
    sky = away[1:-1, 1:-1] > NEAREST * SHORT
    if not sky.any():
        return []
    under = np.where(sky, usual - grey, 0).astype(np.float32)
    spread = cv2.medianBlur(np.minimum(4 * np.abs(under), 255).astype(np.uint8), AROUND) / 4
    hot = under > np.maximum(np.maximum(FAINT, DARKER * usual), ROUGH * spread)
    foreign = np.where(sky, _foreign(small, even), 0).astype(np.float32)
    hot |= foreign > COLOUR
    under = np.maximum(under, 2 * foreign)
    slopes = _slopes(small)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    calm = sky & ~hot
    if not calm.any():
        return []
    usual_sky = np.percentile(lab[calm], (1, 99), axis=0).astype(np.float32)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(hot.astype(np.uint8), connectivity=8)
    found = []
    for number in range(1, count):
        box = _around(stats[number], grey.shape)
        if box is None:
            continue
        own = labels[box] == number
        unlike = _unlike(lab[box][own], usual_sky)
        if unlike and _stands_alone(own, under[box], slopes[box], sky[box]):
            plane = np.zeros(grey.shape, bool)
            plane[box] = own
            found.append(plane)
    return found


def _unlike(colours: Floats, usual: Floats) -> bool:
    """Whether ``colours`` ``[N, 3]`` (Lab) are those of no sky in the picture, whose are mostly
    within ``usual`` ``[2, 3]``: a gap of blue between clouds is no bird."""
    dark = float(np.percentile(colours[:, 0], 25))
    most = colours[:, 1:].mean(axis=0)
    beyond = np.maximum(usual[0, 1:] - most, most - usual[1, 1:]).max()
    return bool(dark < BELOW * usual[0, 0] or beyond > COLOUR / 2)


def _foreign(small: Frame, even: Frame) -> Floats:
    """How far colours are from those around, Lab, a and b."""
    here, there = (cv2.cvtColor(one, cv2.COLOR_RGB2LAB)[..., 1:] for one in (small, even))
    usual = [cv2.medianBlur(np.ascontiguousarray(there[..., k]), AROUND) for k in (0, 1)]
    return np.linalg.norm(here.astype(np.float32) - np.dstack(usual), axis=2)


def _slopes(small: Frame) -> Floats:
    """The steepest of the three colours' slopes, levels a pixel."""
    both = [cv2.Sobel(small, cv2.CV_32F, *o, ksize=3) / 8 for o in ((1, 0), (0, 1))]
    return np.asarray(np.hypot(*both).max(axis=2), np.float32)


def _around(stats: Labels, shape: tuple[int, ...]) -> tuple[slice, slice] | None:
    """A part's box with a margin; None where it is too small, too long or cut off."""
    x, y, w, h, area = (int(v) for v in stats[:5])
    pad = max(4, round(0.6 * max(w, h)))
    cut = x <= 1 or y <= 1 or x + w >= shape[1] - 1 or y + h >= shape[0] - 1
    if area < LEAST or max(w, h) > LONGEST or cut:
        return None
    return slice(max(0, y - pad), y + h + pad), slice(max(0, x - pad), x + w + pad)


def _stands_alone(
    own: NDArray[np.bool_], under: Floats, slopes: Floats, sky: NDArray[np.bool_]
) -> bool:
    """Whether a part stands sharp and alone in an even sky."""
    plane = own.astype(np.uint8)
    free = cv2.dilate(plane, disc(2)) == 0
    if free.sum() < LEAST or sky[free].mean() < ALONE or not sky[own].mean() > ALONE:
        return False
    peak = float(np.percentile(under[own], 90))
    rim = cv2.dilate(plane, np.ones((3, 3))) - cv2.erode(plane, np.ones((3, 3)))
    steep = float(np.percentile(slopes[rim > 0], 75))
    return steep > STEEP * peak and float(under[free & sky].std()) < CALM * peak


def lifted(pixels: Frame, there: NDArray[np.bool_]) -> tuple[Frame, list[Flyer]]:
    """The picture ``[H, W, 3]`` without what is ``there`` ``[H, W]``, and each thing cut out."""
    if not there.any():
        return pixels, []
    short = min(there.shape)
    rim = disc(max(1.0, short / 400))
    wide = cv2.dilate(there.astype(np.uint8), rim)
    beneath = continued(pixels, 1.0 - cv2.dilate(wide, np.ones((3, 3))).astype(np.float32))
    cover = cv2.GaussianBlur(wide.astype(np.float32), (0, 0), max(0.7, short / 900))
    cover = np.clip(2 * cover - 0.5, 0, 1) * cv2.dilate(wide, rim)
    beneath = np.where(cover[..., None] > 0, beneath, pixels)
    light = pixels - beneath * (1 - cover[..., None])
    count, labels, stats, _ = cv2.connectedComponentsWithStats((cover > 0).astype(np.uint8))
    flyers = []
    for number in range(1, count):
        x, y, w, h, _ = (int(v) for v in stats[number])
        box = slice(y, y + h), slice(x, x + w)
        own = labels[box] == number
        flyers.append(
            Flyer(cover[box] * own, light[box] * own[..., None], x, y, float(max(w, h)))
        )  # fmt: skip
    return beneath, flyers
