"""A sky in which nothing drifts: stars, the ground behind a thing, or nothing at all.

What the eyes call sky is all that is plain and behind everything. Some of it is no weather: a night
full of stars (their own way takes minutes) or black, the blurred ground behind a flower or an
animal, which also lies below it, and a sky without a cloud, in which only what was taken for sky by
mistake would drift.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.kinds import INDEX
from vivant.rendering.explained import small_size
from vivant.scene.aurora import aurora_in
from vivant.scene.record import Scene

SHORT, SHARP = 160, 480
"""Short sides in pixels at which clouds, and stars, are looked for."""
LEAST_SKY, SURE = 0.01, 0.8
"""Share of a picture that must be sky, and share of sky from which a place is surely that."""
RIM, FAINT, FEW = 7, 4.0, 0.03
"""Pixels at the sky's edge that are not asked; a cloud differs from the sky's light by so many
levels; of a plain sky less than this share does."""
LEAST = 100
"""Pixels by which it is told whether a cloud is in the sky."""
NIGHT, BLACK = 90, 50
"""Median level of a sky in which stars are seen, and of one in which no cloud is."""
STAR, STARS, SPREAD, TILES = 14, 60, 0.5, 8
"""Levels by which a star stands out; stars in a sky as large as the picture; the share of its tiles
that hold some, of so many across."""
BELOW, LOW, THING = 0.2, 0.04, 0.04
"""A ground behind a thing fills this share of the picture's lowest rows (so many of the picture's
height); the thing fills so much of the picture."""
THINGS = ("plant", "being", "object")

Bools = NDArray[np.bool_]


def calm_sky(scene: Scene, pixels: Frame) -> bool:
    """Whether the sky of a picture ``[H, W, 3]``, as its scene knows it, drifts nowhere; an
    aurora does."""
    share = scene.kinds[INDEX["sky"]]
    if (share > 0.5).mean() < LEAST_SKY:
        return False
    if aurora_in(pixels, np.asarray(255 * share, np.uint8)):
        return False
    return is_backdrop(scene) or is_plain(pixels, share) or is_night(pixels, share)


def is_backdrop(scene: Scene) -> bool:
    """Whether the sky of a scene is the ground behind a thing: it lies below the thing, too."""
    share = scene.kinds[INDEX["sky"]]
    low = share[-max(1, round(LOW * share.shape[0])) :]
    if float((low > 0.5).mean()) < BELOW:
        return False
    things = float(sum(scene.kinds[INDEX[kind]].mean() for kind in THINGS))
    return things > THING


def is_plain(pixels: Frame, sky: Floats) -> bool:
    """Whether no cloud is in the ``sky`` (share ``[h, w]``)."""
    small, inside = _sized(pixels, sky, SHORT)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    kernel = np.ones((RIM, RIM), np.uint8)
    far = cv2.erode(inside.astype(np.uint8), kernel, borderValue=1) > 0
    if far.sum() < LEAST:
        return False
    differs = np.abs(_beside_glow(cv2.GaussianBlur(grey, (0, 0), 1.0), far)) > FAINT
    return bool(differs.mean() < FEW)


def is_night(pixels: Frame, sky: Floats) -> bool:
    """Whether the ``sky`` (share ``[h, w]``) is black, or full of stars or of their trails."""
    small, inside = _sized(pixels, sky, SHARP)
    level = float(np.median(small[inside].max(axis=1))) if inside.any() else 255.0
    if level > NIGHT:
        return False
    return level < BLACK or _starry(small, inside)


def _starry(small: Frame, inside: Bools) -> bool:
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    over = cv2.subtract(grey, cv2.medianBlur(grey, 7), dtype=cv2.CV_16S) > STAR
    far = cv2.erode(inside.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    count, _, _, middles = cv2.connectedComponentsWithStats((over & far).astype(np.uint8))
    if count - 1 < STARS * float(inside.mean()):
        return False
    held = _tiles(middles[1:], inside.shape)
    tiles = cv2.resize(inside.astype(np.float32), held.shape[::-1], interpolation=cv2.INTER_AREA)
    return bool((tiles > 0.5).any() and held[tiles > 0.5].mean() > SPREAD)


def _tiles(places: Floats, shape: tuple[int, ...]) -> Bools:
    """Which tiles of a picture hold one of some places x, y."""
    rows = max(1, round(TILES * shape[0] / max(shape)))
    columns = max(1, round(TILES * shape[1] / max(shape)))
    counts, _, _ = np.histogram2d(
        places[:, 1], places[:, 0], (rows, columns), ((0, shape[0]), (0, shape[1]))
    )
    return np.asarray(counts > 0)


def _sized(pixels: Frame, sky: Floats, short: int) -> tuple[Frame, Bools]:
    """The picture with so many pixels on its short side, and what of it is surely sky."""
    size = small_size(pixels, short)
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    own = cv2.resize(sky.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(small, np.uint8), np.asarray(own > SURE)


def _beside_glow(grey: Floats, inside: Bools) -> Floats:
    """How far each place inside is from the sky's light, ``[n]`` levels: a surface of third order,
    fitted twice, the second time to what is near the first."""
    terms, values = _powers(*inside.shape)[inside.ravel()], grey[inside]
    left, near = values, np.ones(len(values), bool)
    for _ in range(2):
        light = np.linalg.lstsq(terms[near], values[near], rcond=None)[0]
        left = values - terms @ light
        near = np.abs(left) <= max(float(np.percentile(np.abs(left), 90)), 1e-3)
    return np.asarray(left, np.float32)


def _powers(rows: int, columns: int) -> Floats:
    """The ten products of places x, y (-1..1) up to third order, ``[rows * columns, 10]``."""
    y, x = (v.ravel() for v in np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j])
    powers = [x**i * y**j for i in range(4) for j in range(4 - i)]
    return np.asarray(np.stack(powers, axis=1), np.float32)
