"""Smooth random fields in space, and smooth random walks in time that can close."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vivant.clip import Floats


def smooth_noise(
    shape: tuple[int, int], scale: float, rng: np.random.Generator, count: int = 1
) -> Floats:
    """``count`` fields ``[count, h, w]`` of about unit variance whose features are ``scale`` pixels
    wide."""
    h, w = shape
    cells = (int(np.ceil(h / scale)) + 2, int(np.ceil(w / scale)) + 2)
    seeds = rng.standard_normal((count, *cells)).astype(np.float32)
    wide = [cv2.resize(one, (w, h), interpolation=cv2.INTER_CUBIC) for one in seeds]
    return np.asarray(np.stack(wide), np.float32)


def tile_noise(
    side: int, low: tuple[float, float], rng: np.random.Generator, ratio: float = 2.0
) -> Floats:
    """A periodic band of noise ``[side, side]`` of unit variance: blurs of sigma ``low`` (x, y)
    pixels, less those of ``ratio`` times as much."""
    frequency = np.fft.fftfreq(side)
    squares = [(2 * np.pi * s * frequency) ** 2 for s in low]
    wide = np.exp(-0.5 * (squares[1][:, None] + squares[0][None]))
    band = wide - np.exp(-0.5 * ratio**2 * (squares[1][:, None] + squares[0][None]))
    white = np.fft.fft2(rng.standard_normal((side, side)))
    out = np.fft.ifft2(white * band).real
    return np.asarray(out / max(float(out.std()), 1e-9), np.float32)


@dataclass(frozen=True, eq=False)
class Walk:
    """A smooth stationary process in time, 0 at t = 0 where asked: a sum of waves.

    ``frequency`` Hz, ``sine`` and ``cosine`` amplitudes, each ``[N]``.
    """

    frequency: Floats
    sine: Floats
    cosine: Floats

    def at(self, seconds: float) -> float:
        """Its value, of about unit variance."""
        turn = 2 * np.pi * self.frequency * seconds
        return float(self.sine @ np.sin(turn) + self.cosine @ np.cos(turn))

    def since(self, seconds: float) -> float:
        """Its value less that at t = 0."""
        return self.at(seconds) - self.at(0.0)


def walk(
    frequency: float, rng: np.random.Generator, loop: float | None = None, waves: int = 8
) -> Walk:
    """A walk around ``frequency`` Hz (log-normal, a factor of 1.6), of period ``loop`` seconds."""
    each = np.asarray(frequency * np.exp(rng.normal(0, 0.45, waves)), np.float32)
    sine, cosine = rng.standard_normal((2, waves)) / np.sqrt(waves)
    return Walk(closed(each, loop), sine.astype(np.float32), cosine.astype(np.float32))


def closed(frequency: Floats, loop: float | None) -> Floats:
    """Frequencies brought to the nearest that close in ``loop`` seconds, none to 0."""
    if loop is None:
        return np.asarray(frequency, np.float32)
    turns = np.maximum(np.round(np.abs(frequency) * loop), 1)
    return np.asarray(np.sign(frequency) * turns / loop, np.float32)
