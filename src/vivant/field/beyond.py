"""Between and beyond the steps of a field: its values at any time.

Between two step centres values are linear. Beyond the last step of a field that does not loop,
the field goes on as a stationary process with the window's own spectrum: its cosine terms
(DCT-II, the spectrum of the window and its mirror image) keep their amplitudes and their places,
while their phases walk at random, so that the motion neither repeats nor jumps and its mean
stays (a process of given spectrum by random phases: Shinozuka and Deodatis, "Simulation of
stochastic processes by spectral representation", 1991). The walk is the same for every field. A
field that was made for a longer loop than it has steps goes on in the same way, its harmonics
turned by whole numbers of turns in a loop, so that it closes exactly. Both reach any time
directly, and memory does not grow with the duration.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vivant.clip import Floats

WALK_SEED = 2026
MOST_TURN = 0.5
"""Turns by which a term's phase moves at most in one window; slow terms by half of their own
frequency, so that none comes to rest."""


def values_at(values: Floats, seconds: float, rate: float, loop_seconds: float | None) -> Floats:
    """``values`` ``[T, ...]`` of a field at a time; step ``k`` is centred on (k + 0.5) / rate."""
    first, share = place_of(seconds, rate)
    a = step_of(values, first, rate, loop_seconds)
    return a if share == 0 else between(a, step_of(values, first + 1, rate, loop_seconds), share)


def place_of(seconds: float, rate: float) -> tuple[int, float]:
    """The last step before a time, and how far the time is from it to the next, 0..1."""
    position = seconds * rate - 0.5
    first = int(np.floor(position))
    return first, position - first


def between(a: Floats, b: Floats, share: float) -> Floats:
    """From ``a`` to ``b``."""
    return np.asarray(a + np.float32(share) * (b - a), np.float32)


def step_of(values: Floats, index: int, rate: float, loop_seconds: float | None) -> Floats:
    """Step ``index`` of the endless sequence that ``values`` ``[T, ...]`` begin."""
    count = len(values)
    windows = 1 if loop_seconds is None else max(1, round(loop_seconds * rate / count))
    if loop_seconds is not None and windows == 1:
        return values[index % count]
    if loop_seconds is None and index < count:
        return values[max(index, -index - 1) % count]
    weights = _walked(index, count) if loop_seconds is None else _turned(index, count, windows)
    return np.asarray(np.tensordot(weights, values, axes=1), np.float32)


def _walked(index: int, count: int) -> Floats:
    """A step beyond the window: cosine terms with phases that have walked since its end."""
    k = np.arange(count)
    phase = np.pi * k * (index + 0.5) / count + 2 * np.pi * _walk((index + 1) / count - 1, count)
    power = (1.0 + (k > 0)) / count  # the squared norms of the orthonormal DCT-II
    spectrum = power * np.cos(phase) * np.exp(0.5j * np.pi * k / count)
    return np.asarray(2 * count * np.fft.ifft(spectrum, 2 * count).real[:count], np.float32)


def _walk(windows: float, count: int) -> Floats:
    """Turns of each term ``[count]`` so many windows beyond the end, linear in each window."""
    whole = int(windows)
    most = np.minimum(MOST_TURN, np.arange(count) / 4)
    table = _turns(whole + 1, count)
    turns = table[:whole].sum(axis=0) + (windows - whole) * table[whole]
    return np.asarray(most * turns)


@lru_cache(maxsize=4)
def _turns(windows: int, count: int) -> Floats:
    generator = np.random.Generator(np.random.PCG64(WALK_SEED))
    return np.asarray(generator.uniform(-1, 1, (windows, count)))


def _turned(index: int, count: int, windows: int) -> Floats:
    """A step of a loop of several windows: harmonics turned by whole turns in the loop."""
    k = np.arange(1, count // 2 + 1)
    most = np.maximum(1, np.minimum(MOST_TURN, k / 4) * windows).astype(int)
    generator = np.random.Generator(np.random.PCG64(WALK_SEED))
    turns = generator.integers(1, most + 1) * generator.choice([-1, 1], k.size)
    angle = 2 * np.pi * (k * index / count + turns * index / (count * windows))
    spectrum = np.concatenate([[1], np.exp(-1j * angle)])
    return np.asarray(np.fft.irfft(spectrum, count), np.float32)
