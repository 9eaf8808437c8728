"""Null baselines: what knows nothing of the picture, and must be beaten."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats
from vivant.evaluation.motion import Guess, Truth
from vivant.metrics import centre_guess

TYPICAL_SPEED = 0.05


def _steady(speed: Floats, angle: float, steps: int) -> Floats:
    direction = np.array([np.cos(angle), np.sin(angle)], np.float32)
    field = direction[:, None, None] * speed
    return np.repeat(field[None], steps, axis=0).astype(np.float32)


def _random(truth: Truth, seed: int) -> np.random.Generator:
    return np.random.default_rng((seed, len(truth.name), *truth.name.encode()))


def centre(truth: Truth, seed: int) -> Floats:
    """The middle of the picture drifts in a random direction."""
    steps, _, h, w = truth.window.velocity.shape
    angle = _random(truth, seed).uniform(0, 2 * np.pi)
    return _steady(TYPICAL_SPEED * centre_guess(h, w), angle, steps)


def brightness(truth: Truth, seed: int) -> Floats:
    """What is bright drifts in a random direction."""
    steps, _, h, w = truth.window.velocity.shape
    grey = cv2.cvtColor(truth.window.image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    level = cv2.resize(grey, (w, h), interpolation=cv2.INTER_AREA)
    angle = _random(truth, seed).uniform(0, 2 * np.pi)
    return _steady(TYPICAL_SPEED * level, angle, steps)


def zoom(truth: Truth, seed: int) -> Floats:
    """A slow push-in, the same for every seed."""
    steps, _, h, w = truth.window.velocity.shape
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    away = np.stack([x + 0.5 - w / 2, y + 0.5 - h / 2]) / min(h, w)
    return np.repeat((TYPICAL_SPEED * away)[None], steps, axis=0).astype(np.float32)


def smooth(truth: Truth, seed: int) -> Floats:
    """A random smooth field: 4 x 4 Gaussian velocities for each of a few time steps."""
    steps, _, h, w = truth.window.velocity.shape
    coarse = _random(truth, seed).standard_normal((5, 2, 4, 4)).astype(np.float32)
    wide = np.stack(
        [[cv2.resize(c, (w, h), interpolation=cv2.INTER_CUBIC) for c in pair] for pair in coarse]
    )
    at = np.linspace(0, 4, steps)
    first = np.minimum(at.astype(int), 3)
    share = (at - first)[:, None, None, None]
    field = wide[first] * (1 - share) + wide[first + 1] * share
    return (TYPICAL_SPEED * field).astype(np.float32)


BASELINES: dict[str, Guess] = {
    "centre": centre,
    "brightness": brightness,
    "slow zoom": zoom,
    "random smooth field": smooth,
}
