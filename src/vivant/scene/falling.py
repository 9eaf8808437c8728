"""Does it snow or rain in the picture? Asked of every picture, with yes only where it is sure.

Many specks spread over all of the picture are the condition (stars, spray, lights of a town and
blossoms are that, too); then a linear probe on the encoder's features says how likely it snows. It
learned from photographs with drawn snow beside the same ones without (`benchmarks/falling.py`), so
that it goes by the flakes and not by what else is in a winter's picture. Rain needs no probe: so
many specks that are drawn out and all lean alike are nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from vivant.clip import Floats, Frame, Picture, Plane
from vivant.rendering.manners.flakes import (
    LEAST,
    LONGEST,
    SHORT,
    STREAK,
    Flakes,
    embers,
    flakes_of,
    specks,
)
from vivant.scene.encoder import chance, features, weights_of
from vivant.scene.known import Known
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
BURNS, GLOWING = 0.005, 25
"""Share of a picture that is fire, and embers beside it, from which they rise."""
STREAKS, ALIKE, SHARE, RAINED = 45, 0.8, 0.35, 0.35
"""Rain has so many streaks at least; of what is drawn out so much leans alike, of all specks so
many are streaks; and the share of tiles that hold some."""


@dataclass(frozen=True)
class Falling:
    """Snow, or rain where it ``rains``: how likely (``chance`` 0..1), how many ``flakes`` or
    streaks are seen, and the ``lean`` of their fall, degrees from straight down, to the right
    where positive."""

    chance: float
    flakes: int
    lean: float
    rains: bool = False


def falling(picture: Picture) -> Falling | None:
    """What falls in a picture; None where nothing does. Remembered for the last few pictures.

    Raises BundleError where the network cannot be run.
    """
    return _remembered(Known(picture)) if picture.sha256 else falling_in(picture.pixels)


def falling_in(pixels: Frame) -> Falling | None:
    """What falls in a picture ``[H, W, 3]`` uint8 sRGB; None where nothing does."""
    spread = spread_of(pixels)
    if spread < RAINED:  # which is less than snow asks for
        return None
    flakes = flakes_of(_sized(pixels, SHORT))
    if rains(flakes):
        return Falling(1.0, int(flakes.streaks.sum()), flakes.lean, rains=True)
    if spread < SPREAD or not enough(flakes):
        return None
    likely = chance(described(pixels), weights_of("falling"))
    return Falling(likely, len(flakes.size), flakes.lean) if likely >= SURE else None


def rains(flakes: Flakes) -> bool:
    """Whether a picture shows rain."""
    streaks = flakes.streaks
    count = int(streaks.sum())
    if count < STREAKS or count < SHARE * len(streaks):
        return False
    if count < ALIKE * int((flakes.long > STREAK).sum()):
        return False
    height, width = flakes.of.shape
    places = flakes.place[streaks] / np.array([width, height], np.float32)
    return _spread(np.asarray(places, np.float32)) >= RAINED


def glowing(pixels: Frame, fire: Plane) -> bool:
    """Whether embers glow beside the ``fire`` ``[H, W]`` (255 = flame) of a picture
    ``[H, W, 3]``."""
    if (fire > 127).mean() < BURNS:
        return False
    small = _sized(pixels, SHORT)
    beside = cv2.resize(fire, small.shape[1::-1], interpolation=cv2.INTER_AREA) < 64
    flakes = flakes_of(small)
    x, y = (np.round(flakes.place[:, k]).astype(int) for k in (0, 1))
    return bool((embers(flakes, small) & beside[y, x]).sum() >= GLOWING)


def may_snow(pixels: Frame) -> bool:
    """Whether specks are spread over all of a picture ``[H, W, 3]``."""
    return spread_of(pixels) >= SPREAD


def spread_of(pixels: Frame) -> float:
    """Share of the tiles of a picture ``[H, W, 3]`` that hold specks; 0 where there are few."""
    small = _sized(pixels, SHORT)
    _, _, stats, middles = cv2.connectedComponentsWithStats(specks(small)[2], connectivity=8)
    sides = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    own = (stats[:, cv2.CC_STAT_AREA] >= LEAST) & (sides < LONGEST)
    own[0] = False
    places = middles[own] / small.shape[1::-1]
    return _spread(np.asarray(places, np.float32)) if own.sum() >= MANY else 0.0


def _spread(places: Floats) -> float:
    """Share of the tiles of a picture that hold some of ``places`` ``[N, 2]``, x, y 0..1."""
    counts, _, _ = np.histogram2d(places[:, 1], places[:, 0], TILES, ((0, 1), (0, 1)))
    return float((counts > 0).mean())


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


@lru_cache(maxsize=4)
def _remembered(key: Known) -> Falling | None:
    return falling_in(key.picture.pixels)
