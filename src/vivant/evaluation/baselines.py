"""Null baselines: what knows nothing of the picture, and must be beaten."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.evaluation.frames import Frames
from vivant.evaluation.motion_scores import Guess, Truth
from vivant.metrics import centre_guess

TYPICAL_SPEED = 0.05
TURNS = 4
"""Quarter turns that consecutive seeds go through: the model's four samples look all ways, and
best-of-N would favour it over guesses that do not."""


def turned(velocity: Floats, seed: int) -> Floats:
    """``velocity`` ``[T, 2, h, w]`` with every vector turned by ``seed`` quarter turns."""
    for _ in range(seed % TURNS):
        velocity = np.stack([-velocity[:, 1], velocity[:, 0]], axis=1)
    return velocity


def _steady(speed: Floats, angle: float, steps: int) -> Floats:
    direction = np.array([np.cos(angle), np.sin(angle)], np.float32)
    field = direction[:, None, None] * speed
    return np.repeat(field[None], steps, axis=0).astype(np.float32)


def _random(truth: Truth, seed: int) -> np.random.Generator:
    """The same draw for the seeds that go through its quarter turns."""
    return np.random.default_rng((seed // TURNS, len(truth.name), *truth.name.encode()))


def centre(truth: Truth, seed: int) -> Floats:
    """The middle of the picture drifts in a random direction."""
    steps, _, h, w = truth.window.velocity.shape
    angle = _random(truth, seed).uniform(0, 2 * np.pi)
    return turned(_steady(TYPICAL_SPEED * centre_guess(h, w), angle, steps), seed)


def brightness(truth: Truth, seed: int) -> Floats:
    """What is bright drifts in a random direction."""
    steps, _, h, w = truth.window.velocity.shape
    grey = cv2.cvtColor(truth.window.image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    level = cv2.resize(grey, (w, h), interpolation=cv2.INTER_AREA)
    angle = _random(truth, seed).uniform(0, 2 * np.pi)
    return turned(_steady(TYPICAL_SPEED * level, angle, steps), seed)


def zoom(truth: Truth, seed: int) -> Floats:
    """A slow push-in; turned by a quarter, half and three quarters it is a roll, a pull-out and
    a roll back."""
    steps, _, h, w = truth.window.velocity.shape
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    away = np.stack([x + 0.5 - w / 2, y + 0.5 - h / 2]) / min(h, w)
    steady = np.repeat((TYPICAL_SPEED * away)[None], steps, axis=0).astype(np.float32)
    return turned(steady, seed)


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
    return turned((TYPICAL_SPEED * field).astype(np.float32), seed)


def mean_field(others: list[Truth]) -> Guess:
    """What clips do on average, whatever they show: the mean true motion of ``others``, brought
    to the clip's shape, the clip itself left out, in quarter turns."""

    def guess(truth: Truth, seed: int) -> Floats:
        steps, _, h, w = truth.window.velocity.shape
        fields = [o.window.velocity for o in others if o.name != truth.name]
        if not fields:
            return np.zeros((steps, 2, h, w), np.float32)
        sized = [[[cv2.resize(c, (w, h)) for c in pair] for pair in field] for field in fields]
        return turned(np.mean(np.array(sized, np.float32), axis=0).astype(np.float32), seed)

    return guess


BASELINES: dict[str, Guess] = {
    "centre": centre,
    "brightness": brightness,
    "slow zoom": zoom,
    "random smooth field": smooth,
}


def still_frames(picture: Frame, count: int) -> Frames:
    """The picture, over and over ``[T, H, W, 3]``."""
    return np.repeat(picture[None], count, axis=0)


def zoom_frames(picture: Frame, count: int) -> Frames:
    """A slow push-in: 10 % over the clip, frame 0 the picture."""
    h, w = picture.shape[:2]
    frames = []
    for k in range(count):
        by = 1 + 0.1 * k / max(1, count - 1)
        turn = np.array([[by, 0, (1 - by) * w / 2], [0, by, (1 - by) * h / 2]], np.float32)
        frames.append(
            cv2.warpAffine(
                picture, turn, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
            )
        )
    return np.stack(frames).astype(np.uint8)


def crossfade_frames(picture: Frame, count: int) -> Frames:
    """The picture drifts sideways and is faded back into itself: the cheapest seamless loop."""
    w = picture.shape[1]
    frames = []
    for k in range(count):
        share = k / count
        a = np.roll(picture, round(0.05 * w * share), axis=1).astype(np.float32)
        b = np.roll(picture, round(0.05 * w * (share - 1)), axis=1).astype(np.float32)
        frames.append((a * (1 - share) + b * share + 0.5).astype(np.uint8))
    return np.stack(frames)


CLIPS: dict[str, Callable[[Frame, int], Frames]] = {
    "still picture": still_frames,
    "slow zoom": zoom_frames,
    "cross-fade loop": crossfade_frames,
}
