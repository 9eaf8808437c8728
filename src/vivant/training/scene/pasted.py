"""Made-up falls, flames, smoke and flags pasted into crops: kinds that no teacher knows and few
clips show. The kind is known exactly, since the alpha is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from vivant.clip import Floats
from vivant.kinds import INDEX
from vivant.training.scene.corpus import Crop

Made = tuple[Floats, Floats, bool]
"""Colours ``[S, S, 3]`` 0..1, alpha ``[S, S]`` 0..1, and whether the colours are light that is
added (a flame) or cover what is behind."""


def paste(crop: Crop, rng: np.random.Generator) -> Crop:
    """The crop with one made-up thing in it, and its kind in the targets."""
    kind = str(rng.choice(list(MAKERS)))
    image = crop.image.transpose(1, 2, 0)
    side, out = image.shape[0], crop.trust.shape[0]
    colours, alpha, light = MAKERS[kind](rng, side)
    cover = alpha[..., None]
    if light:
        dim = rng.uniform(0.25, 1.0) if rng.random() < 0.7 else 1.0
        image = np.clip(image * dim + colours * cover, 0, 1)
    else:
        image = image * (1 - cover) + colours * cover
    cells = cv2.resize(alpha, (out, out), interpolation=cv2.INTER_AREA)
    share = np.clip((cells - 0.25) / 0.35, 0, 1)
    kinds = crop.kinds * (1 - share)
    kinds[INDEX[kind]] += share
    doubt = (share > 0.05) & (share < 0.7)
    trust = np.where(share >= 0.7, 1.0, np.where(doubt, 0.3 * crop.trust, crop.trust))
    return replace(
        crop,
        image=np.ascontiguousarray(image.transpose(2, 0, 1), np.float32),
        kinds=kinds.astype(np.float32),
        trust=trust.astype(np.float32),
        depth_trust=(crop.depth_trust * (1 - share)).astype(np.float32),
    )


def noise(rng: np.random.Generator, side: int, across: float, along: float) -> Floats:
    """Smooth noise of mean 0 and size 1, ``across`` and ``along`` cells wide and high."""
    total = np.zeros((side, side), np.float32)
    for octave in range(4):
        shape = (max(2, round(along * 2**octave)), max(2, round(across * 2**octave)))
        coarse = rng.normal(0, 1, shape).astype(np.float32)
        total += cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC) / 1.7**octave
    return np.asarray((total - total.mean()) / (total.std() + 1e-6), np.float32)


def grid(side: int) -> tuple[Floats, Floats]:
    """x and y of pixels, 0..1."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    return x, y


def fall(rng: np.random.Generator, side: int) -> Made:
    """White water that falls in streaks, between two ragged edges."""
    x, y = grid(side)
    top, low = rng.uniform(-0.2, 0.5), rng.uniform(0.6, 1.2)
    middle = rng.uniform(0.15, 0.85) + 0.05 * noise(rng, side, 1, 2)
    width = rng.uniform(0.04, 0.35) * (1 + rng.uniform(0, 0.8) * (y - top))
    edge = width + 0.02 * noise(rng, side, 2, 8) - abs(x - middle)
    alpha = np.clip(edge / 0.012, 0, 1) * ((y > top) & (y < low))
    streaks = noise(rng, side, rng.uniform(12, 40), rng.uniform(1, 4))
    level = rng.uniform(0.6, 0.9) + rng.uniform(0.06, 0.18) * streaks
    tint = np.array([0.93, 0.98, 1.0], np.float32) * rng.uniform(0.85, 1.0)
    gaps = np.clip(1.2 + 0.6 * streaks, 0.3, 1)
    alpha = cv2.GaussianBlur((alpha * gaps).astype(np.float32), (0, 0), 1.0)
    return np.clip(level[..., None] * tint, 0, 1).astype(np.float32), alpha, False


def fire(rng: np.random.Generator, side: int) -> Made:
    """Tongues that rise from a foot, white inside, red at the rim; light that is added."""
    x, y = grid(side)
    foot, centre = rng.uniform(0.5, 1.05), rng.uniform(0.15, 0.85)
    high, wide = rng.uniform(0.12, 0.6), rng.uniform(0.04, 0.5)
    lift = np.clip((foot - y) / high, -0.2, 1.5)
    lick = noise(rng, side, rng.uniform(4, 12) / wide * 0.3, rng.uniform(2, 5))
    body = 1 - (abs(x - centre) / wide) ** 2 - lift + (0.2 + 0.5 * np.clip(lift, 0, 1)) * lick
    heat = np.clip(body, 0, 1.3) * (y < foot + 0.02)
    colours = np.stack([heat * 2.2, heat**1.7 * 1.5, heat**3.2 * 0.9], -1)
    alpha = np.clip(heat / 0.3, 0, 1)
    return np.clip(colours, 0, 1).astype(np.float32), alpha.astype(np.float32), True


def smoke(rng: np.random.Generator, side: int) -> Made:
    """A plume or a bank, grey to white, soft at the edge."""
    x, y = grid(side)
    puff = noise(rng, side, rng.uniform(2, 6), rng.uniform(2, 6))
    if rng.random() < 0.6:
        foot, centre = rng.uniform(0.5, 1.1), rng.uniform(0.1, 0.9)
        drift = rng.normal(0, 0.4)
        width = 0.04 + rng.uniform(0.2, 0.6) * np.clip(foot - y, 0, 1)
        body = 1 - ((x - centre - drift * (foot - y)) / width) ** 2 - 2 * (y > foot)
    else:
        body = 1.2 - (abs(y - rng.uniform(0, 0.8)) / rng.uniform(0.1, 0.4)) ** 2
    density = np.clip(body + 0.5 * puff, 0, 1) * rng.uniform(0.6, 1.0)
    level = rng.uniform(0.35, 0.95) + 0.07 * noise(rng, side, 6, 6)
    colours = np.clip(level[..., None] * np.array([1, 1, 1.02], np.float32), 0, 1)
    return colours.astype(np.float32), density.astype(np.float32), False


def cloth(rng: np.random.Generator, side: int) -> Made:
    """A flag or a hanging sheet: stripes on folds."""
    x, y = grid(side)
    folds = noise(rng, side, rng.uniform(2, 6), rng.uniform(0.5, 2))
    left, top = rng.uniform(-0.1, 0.6), rng.uniform(0.0, 0.6)
    wide, high = rng.uniform(0.15, 0.6), rng.uniform(0.12, 0.5)
    u = (x - left) / wide + 0.03 * folds
    v = (y - top) / high + 0.12 * folds * np.clip(u, 0, 1)
    inside = np.clip(np.minimum(np.minimum(u, 1 - u), np.minimum(v, 1 - v)) / 0.03, 0, 1)
    palette = rng.uniform(0.05, 0.95, (4, 3)).astype(np.float32)
    stripe = np.clip((v if rng.random() < 0.5 else u) * rng.integers(1, 4), 0, 3).astype(int)
    slope = np.gradient(folds, axis=1) * side / 12
    colours = palette[stripe] * np.clip(1 + 0.25 * slope, 0.4, 1.4)[..., None]
    return np.clip(colours, 0, 1).astype(np.float32), inside.astype(np.float32), False


MAKERS: dict[str, Callable[[np.random.Generator, int], Made]] = {
    "fall": fall,
    "fire": fire,
    "smoke": smoke,
    "cloth": cloth,
}
