"""Does it snow in the picture? Asked of every picture, answered with yes only where it is sure.

Many specks spread over all of the picture are the condition (stars, spray, lights of a town and
blossoms are that, too); then a linear probe on the encoder's features says how likely it snows. It
learned from photographs with drawn snow beside the same ones without (`benchmarks/falling.py`), so
that it goes by the flakes and not by what else is in a winter's picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from vivant.clip import Floats, Frame, Picture
from vivant.rendering.manners.flakes import LEAST, LONGEST, SHORT, Flakes, flakes_of, specks
from vivant.scene.encoder import chance, features, weights_of
from vivant.scene.network import STRIDE

SEEN, MOST = 384, 640
"""Short side in pixels at which a picture is looked at, and its long one at most."""
TILES = 6, 8
SPREAD = 0.6
"""Share of the tiles of a picture that hold specks where it snows."""
MANY = 60
"""Flakes in a picture as wide as high, at least."""
SURE = 0.5
"""Chance from which it snows."""


@dataclass(frozen=True)
class Falling:
    """Snow: how likely (``chance`` 0..1), how many ``flakes`` are seen, and the ``lean`` of their
    fall, degrees from straight down, to the right where positive."""

    chance: float
    flakes: int
    lean: float


def falling(picture: Picture) -> Falling | None:
    """What falls in a picture; None where nothing does. Remembered for the last few pictures.

    Raises BundleError where the network cannot be run.
    """
    return _remembered(_Key(picture)) if picture.sha256 else falling_in(picture.pixels)


def falling_in(pixels: Frame) -> Falling | None:
    """What falls in a picture ``[H, W, 3]`` uint8 sRGB; None where nothing does."""
    if not may_snow(pixels):
        return None
    likely = chance(described(pixels), weights_of("falling"))
    if likely < SURE:
        return None
    flakes = flakes_of(_sized(pixels, SHORT))
    return Falling(likely, len(flakes.size), flakes.lean) if enough(flakes) else None


def may_snow(pixels: Frame) -> bool:
    """Whether specks are spread over all of a picture ``[H, W, 3]``."""
    small = _sized(pixels, SHORT)
    _, _, stats, middles = cv2.connectedComponentsWithStats(specks(small)[2], connectivity=8)
    sides = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    own = (stats[:, cv2.CC_STAT_AREA] >= LEAST) & (sides < LONGEST)
    own[0] = False
    places = middles[own] / small.shape[1::-1]
    counts, _, _ = np.histogram2d(places[:, 1], places[:, 0], TILES, ((0, 1), (0, 1)))
    return bool(own.sum() >= MANY and (counts > 0).mean() >= SPREAD)


def enough(flakes: Flakes) -> bool:
    """Whether a picture shows so many flakes that it snows."""
    h, w = flakes.of.shape
    return len(flakes.size) >= MANY * max(h, w) / min(h, w)


def described(pixels: Frame) -> Floats:
    """What the probe is asked with: mean and spread of the encoder's features, ``[2 F]``."""
    height, width = pixels.shape[:2]
    scale = SEEN / min(height, width)
    step = 8 * STRIDE
    wide, high = (min(MOST, step * max(1, round(side * scale / step))) for side in (width, height))
    found = features(cv2.resize(pixels, (wide, high), interpolation=cv2.INTER_AREA))
    return np.asarray(np.r_[found.mean(axis=0), found.std(axis=0)], np.float32)


def _sized(pixels: Frame, short: int) -> Frame:
    height, width = pixels.shape[:2]
    scale = short / min(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


@dataclass(frozen=True)
class _Key:
    """A picture that is told from others by its hash."""

    picture: Picture

    def __hash__(self) -> int:
        return hash(self.picture.sha256)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.picture.sha256 == self.picture.sha256


@lru_cache(maxsize=4)
def _remembered(key: _Key) -> Falling | None:
    return falling_in(key.picture.pixels)
