"""Between and beyond the steps of a field: values at any time as weighted sums of the steps.

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


def combine(values: Floats, weights: Floats) -> Floats:
    """``sum_k weights[k] values[k]`` for ``values`` ``[T, ...]``."""
    used = np.flatnonzero(weights)
    if used.size == 1 and weights[used[0]] == 1:
        return values[used[0]]
    if used.size == 2 and abs(float(weights.sum()) - 1) < 1e-6:
        a, b = used
        return np.asarray(values[a] + weights[b] * (values[b] - values[a]), np.float32)
    return np.asarray(np.tensordot(weights, values, axes=1), np.float32)


def step_weights(seconds: float, rate: float, count: int, loop_seconds: float | None) -> Floats:
    """Weights ``[count]`` of the steps at a time; step ``k`` is centred on (k + 0.5) / rate."""
    position = seconds * rate - 0.5
    first = int(np.floor(position))
    share = np.float32(position - first)
    a, b = (_step(i, rate, count, loop_seconds) for i in (first, first + 1))
    return np.asarray(a if share == 0 else (1 - share) * a + share * b, np.float32)


def _step(index: int, rate: float, count: int, loop_seconds: float | None) -> Floats:
    """Weights that make step ``index`` of the endless sequence."""
    if loop_seconds is not None:
        windows = max(1, round(loop_seconds * rate / count))
        return _single(index % count, count) if windows == 1 else _turned(index, count, windows)
    if index < count:
        return _single(max(index, -index - 1) % count, count)
    return _walked(index, count)


def _single(index: int, count: int) -> Floats:
    weights = np.zeros(count, np.float32)
    weights[index] = 1
    return weights


def _walked(index: int, count: int) -> Floats:
    """A step beyond the window: cosine terms with phases that have walked since its end."""
    k = np.arange(count)
    phase = np.pi * k * (index + 0.5) / count + 2 * np.pi * _walk((index + 1) / count - 1, count)
    norm = np.where(k == 0, np.sqrt(1 / count), np.sqrt(2 / count))
    spectrum = norm**2 * np.cos(phase) * np.exp(0.5j * np.pi * k / count)
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
