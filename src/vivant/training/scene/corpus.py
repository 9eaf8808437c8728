"""What the seeing network learns from, in memory, and how crops are cut from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.kinds import KINDS

SIDE = 256
STRIDE = 4


@dataclass(frozen=True)
class Example:
    """One picture ``[H, W, 3]`` and what is known of it on a grid of its own.

    ``kinds`` ``[12, h, w]`` uint8 shares (255 = all) with ``trust`` ``[h, w]`` uint8; ``depth``
    ``[h, w]`` float16 inverse depth up to scale and shift with ``depth_trust`` uint8; ``water``
    the character of its water (index of `WATERS`, -1 unknown). ``name`` and ``category`` say
    where it is from.
    """

    image: Frame
    kinds: NDArray[np.uint8]
    trust: NDArray[np.uint8]
    depth: NDArray[np.float16]
    depth_trust: NDArray[np.uint8]
    water: int = -1
    name: str = ""
    category: str = ""


@dataclass(frozen=True)
class Crop:
    """A training crop: ``image`` ``[3, S, S]`` 0..1 and targets ``[.., S / 4, S / 4]`` float32."""

    image: Floats
    kinds: Floats
    trust: Floats
    depth: Floats
    depth_trust: Floats
    water: int


def cut(example: Example, rng: np.random.Generator, side: int = SIDE) -> Crop:
    """A random part of 45 to 100 % of the picture, a little stretched, mirrored at random and
    recoloured; one in five is the whole picture squeezed into the square."""
    height, width = example.image.shape[:2]
    x0, y0, x1, y1 = _window(width, height, rng)
    mirror = rng.random() < 0.5
    out = side // STRIDE

    def part(values: NDArray[np.generic], size: int) -> Floats:
        h, w = values.shape[:2]
        a, b = round(y0 * h), max(round(y0 * h) + 1, round(y1 * h))
        c, d = round(x0 * w), max(round(x0 * w) + 1, round(x1 * w))
        piece = np.ascontiguousarray(values[a:b, c:d]).astype(np.float32)
        how = cv2.INTER_AREA if min(piece.shape[:2]) > size else cv2.INTER_LINEAR
        sized = cv2.resize(piece, (size, size), interpolation=how)
        return np.ascontiguousarray(sized[:, ::-1] if mirror else sized)

    whole = np.float32(255)
    image = recoloured(np.asarray(part(example.image, side) / whole, np.float32), rng)
    kinds = np.stack([part(plane, out) for plane in example.kinds]) / whole
    return Crop(
        image=np.ascontiguousarray(image.transpose(2, 0, 1)),
        kinds=np.asarray(kinds, np.float32),
        trust=np.asarray(part(example.trust, out) / whole, np.float32),
        depth=part(example.depth, out),
        depth_trust=np.asarray(part(example.depth_trust, out) / whole, np.float32),
        water=example.water,
    )


def _window(width: int, height: int, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Left, top, right, lower edge as shares of the picture."""
    if rng.random() < 0.2:
        return 0.0, 0.0, 1.0, 1.0
    short = min(width, height)
    size = short * rng.uniform(0.45, 1.0) ** 0.7
    stretch = np.exp(rng.uniform(-0.2, 0.2))
    w, h = min(1.0, size * stretch / width), min(1.0, size / stretch / height)
    x, y = rng.uniform(0, 1 - w), rng.uniform(0, 1 - h)
    return x, y, x + w, y + h


def recoloured(image: Floats, rng: np.random.Generator) -> Floats:
    """Gain, tint, gamma, sometimes grey, blurred or noisy; ``[H, W, 3]`` 0..1."""
    image = np.clip(image, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.22)))
    image = image * (np.exp(rng.normal(0, 0.14)) * np.exp(rng.normal(0, 0.06, 3))).astype(
        np.float32
    )
    if rng.random() < 0.08:
        image = np.repeat(image.mean(2, keepdims=True), 3, axis=2)
    if rng.random() < 0.15:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.4))
    if rng.random() < 0.2:
        image = image + rng.normal(0, rng.uniform(0.005, 0.04), image.shape).astype(np.float32)
    return np.clip(image, 0, 1).astype(np.float32)


def chances(examples: Sequence[Example]) -> NDArray[np.float64]:
    """How often to draw each example: more often where it shows kinds that are rare."""
    shares = np.array(
        [(e.kinds.astype(np.float32) * (e.trust > 0)).mean((1, 2)) / 255 for e in examples]
    )
    common = np.maximum(shares.mean(0), 1e-4)
    wanted = 1 / np.sqrt(common)
    score = 0.5 + (shares * wanted).sum(1) / np.median((shares * wanted).sum(1) + 1e-6)
    return np.asarray(np.clip(score, 0.5, 5) / np.clip(score, 0.5, 5).sum())


def empty_targets(h: int, w: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Kinds and trust of a picture whose kinds nobody knows."""
    return np.zeros((len(KINDS), h, w), np.uint8), np.zeros((h, w), np.uint8)
