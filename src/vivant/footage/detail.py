"""Detail of what is made up, as strong as that of the footage: sharpness and noise do not jump.

What is resampled loses detail, what layers add brings their own. Where a made frame differs from
the last one that was filmed, its fine detail is raised or lowered, in flat places until their noise
is that of the last frame, elsewhere until the sharpness of the whole is. Where nothing moves, not a
bit changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vivant.clip import Floats, Frame

FINE = 1.0
"""Standard deviation in pixels of the blur beyond which detail is fine."""
AROUND = 9
"""Pixels over which its power is averaged."""
FLATTEST = 20
"""Per cent of a picture whose power is the least: its noise."""
FLAT = 6.0
"""Times that power, where a place is half flat."""
STRONGEST, WEAKEST = 0.9, -0.6
"""Shares by which detail is raised or lowered at most."""
SMOOTHEST = -1.0
"""The same in flat places."""
NEAR = 0.05
"""Share by which their noise may differ."""
ROUNDS = 6
MOVED = 0.02, 0.2
"""Levels from which a place has begun to differ, and does."""
SPREAD = 0.75
"""Share of the power of white noise that is fine."""


@dataclass(frozen=True)
class Detail:
    """``sharp``: mean square gradient, ``flat``: power of the fine detail of flat places, both in
    square levels."""

    sharp: float
    flat: float


def detail_of(frame: Frame) -> Detail:
    """How much detail a frame ``[H, W, 3]`` has."""
    light = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    across, down = _slopes(light)
    return Detail(float((across**2 + down**2).mean()), _least(_power(light)))


def kept(frame: Frame, last: Frame, wanted: Detail, rng: np.random.Generator) -> Frame:
    """``frame`` ``[H, W, 3]``, its detail as ``wanted`` where it differs from ``last``."""
    moved = _moved(frame, last)
    if not moved.any():
        return frame
    light = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = light - cv2.GaussianBlur(light, (0, 0), FINE)
    power = _power(light)
    least = _least(power)
    flat = np.asarray(moved / (1 + (power / (FLAT * least + 1e-3)) ** 2), np.float32)
    busy = moved - flat
    more = _flattened(light, flat * fine, least, wanted.flat)
    calm = light + np.float32(more) * flat * fine
    share = flat * np.float32(more) + busy * np.float32(_sharpened(calm, busy * fine, wanted.sharp))
    colours = frame.astype(np.float32)
    out = colours + share[..., None] * (colours - cv2.GaussianBlur(colours, (0, 0), FINE))
    if _least(_power(np.rint(calm))) < wanted.flat:
        grain = flat * rng.standard_normal(light.shape, np.float32)
        out += np.float32(_grained(calm, grain, wanted.flat)) * grain[..., None]
    return np.asarray(np.clip(np.rint(out), 0, 255), np.uint8)


def _moved(frame: Frame, last: Frame) -> Floats:
    """Where 0..1 ``[H, W]`` a frame differs from another."""
    apart = cv2.blur(cv2.absdiff(frame, last).max(axis=2).astype(np.float32), (AROUND, AROUND))
    low, high = MOVED
    return np.asarray(np.clip((apart - low) / (high - low), 0, 1), np.float32)


def _flattened(light: Floats, fine: Floats, power: float, wanted: float) -> float:
    """The share of ``fine`` to add to ``light``, whose flat places have a ``power``, for the one
    that is wanted."""
    low, high = SMOOTHEST, STRONGEST
    if abs(power / max(wanted, 1e-6) - 1) < NEAR:
        return 0.0
    for _ in range(ROUNDS):  # levels are whole numbers: what is weak does not change in proportion
        more = (low + high) / 2
        strong = _least(_power(np.rint(light + np.float32(more) * fine))) > wanted
        low, high = (low, more) if strong else (more, high)
    return (low + high) / 2


def _grained(light: Floats, grain: Floats, wanted: float) -> float:
    """How much of ``grain`` to add to ``light`` for flat places of the power that is wanted."""
    before = _least(_power(np.rint(light)))
    amount = ((wanted - before) / SPREAD) ** 0.5
    for _ in range(2):
        more = _least(_power(np.rint(light + np.float32(amount) * grain))) - before
        amount *= min(2.0, ((wanted - before) / max(more, 1e-3)) ** 0.5)
    return amount


def _sharpened(light: Floats, fine: Floats, wanted: float) -> float:
    """The share of ``fine`` to add to ``light`` for the mean square gradient that is wanted."""
    pairs = list(zip(_slopes(light), _slopes(fine), strict=True))
    own = float(sum((a * a).mean() for a, _ in pairs))
    both = float(sum((a * b).mean() for a, b in pairs))
    added = float(sum((b * b).mean() for _, b in pairs))
    if added < 1e-6:
        return 0.0
    root = max(0.0, both * both - added * (own - wanted)) ** 0.5
    return float(np.clip((root - both) / added, WEAKEST, STRONGEST))


def _slopes(light: Floats) -> tuple[Floats, Floats]:
    across, down = (cv2.Sobel(light, cv2.CV_32F, *order, ksize=1) for order in ((1, 0), (0, 1)))
    return np.asarray(across, np.float32), np.asarray(down, np.float32)


def _power(light: Floats) -> Floats:
    """Local power of fine detail, square levels ``[H, W]``."""
    fine = light - cv2.GaussianBlur(light, (0, 0), FINE)
    return np.asarray(cv2.blur(fine * fine, (AROUND, AROUND)), np.float32)


def _least(power: Floats) -> float:
    """That of the flattest places."""
    return float(np.percentile(power[::2, ::2], FLATTEST))
