"""Is a face that was found a person's? The face finder also finds those of dogs, cats and apes.

A linear probe on the mean of the released encoder's features (EfficientNet-Lite0, trained on
ImageNet, which tells animals apart) over a square of twice the face; logistic regression, fitted by
`benchmarks/persons.py`.
"""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats, Frame, Picture
from vivant.scene.encoder import chance, features, weights_of
from vivant.scene.eyes import beings

SIDE = 128
"""Pixels on a side of what is looked at."""
AROUND = 2.0
"""Its side in sides of the face."""

ANIMAL = 0.5
"""Chance of a person below which a face is an animal's: of people's faces that were kept back none
falls below (docs/log.md)."""

Box = tuple[float, float, float, float]


def somebody(picture: Picture, box: Box) -> float:
    """How surely 0..1 a person is in a ``box`` of a picture in which a face was found: as surely as
    a being is, and 0 where the face is an animal's."""
    seen = beings(picture, box)
    return seen if seen == 0 or person(picture.pixels, box) >= ANIMAL else 0.0


def person(pixels: Frame, box: Box) -> float:
    """Chance 0..1 that a face in a ``box`` (left, top, right, lower edge as shares) of a picture
    ``[H, W, 3]`` uint8 sRGB is a person's, as against an animal's.

    Raises BundleError where the network cannot be run.
    """
    return chance(described(around(pixels, box)), weights_of("persons"))


def around(pixels: Frame, box: Box, wide: float = AROUND) -> Frame:
    """The square ``[SIDE, SIDE, 3]`` around a face, ``wide`` times as wide as the face."""
    height, width = pixels.shape[:2]
    left, top, right, low = box
    side = max(4.0, wide * max((right - left) * width, (low - top) * height))
    middle = (left + right) / 2 * width, (top + low) / 2 * height
    half = round(side / 2)
    x, y = (round(m) for m in middle)
    inside = pixels[max(0, y - half) : y + half, max(0, x - half) : x + half]
    padded = cv2.copyMakeBorder(
        np.ascontiguousarray(inside),
        *(max(0, half - y), max(0, y + half - height)),
        *(max(0, half - x), max(0, x + half - width)),
        cv2.BORDER_REPLICATE,
    )
    return np.asarray(cv2.resize(padded, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def described(square: Frame) -> Floats:
    """Mean features ``[F]`` of a square ``[SIDE, SIDE, 3]``."""
    return np.asarray(features(square).mean(axis=0), np.float32)
