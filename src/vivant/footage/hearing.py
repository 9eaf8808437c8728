"""What is heard with footage that was cut, closed or continued."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Sound

FADE = 0.08
"""Seconds in which sound goes over into silence, so that nothing clicks."""


def fitted(sound: Sound, seconds: float) -> Sound:
    """A sound of exactly so many seconds: cut, or silent at its end."""
    count = round(seconds * sound.rate)
    kept = sound.samples[:count]
    missing = np.zeros((count - len(kept), sound.samples.shape[1]), np.int16)
    return Sound(np.concatenate([kept, missing]), sound.rate)


def silenced(sound: Sound, seconds: float, quiet: float, before: bool) -> Sound:
    """A sound of so many ``seconds`` with ``quiet`` ones after it, or ``before`` it."""
    own = fitted(sound, seconds).samples.astype(np.float32)
    fade = min(len(own), round(FADE * sound.rate))
    ramp = np.linspace(0, 1, fade, dtype=np.float32)[:, None]
    if before:
        own[:fade] *= ramp
    else:
        own[len(own) - fade :] *= ramp[::-1]
    still = np.zeros((round(quiet * sound.rate), own.shape[1]), np.float32)
    return Sound(_levels(np.concatenate([still, own] if before else [own, still])), sound.rate)


def closed(sound: Sound, begin: float, end: float, blend: float) -> Sound:
    """What is heard from ``begin`` to ``end`` (seconds), its last ``blend`` turning into what leads
    to its beginning, at equal power."""
    start, stop, over = (round(at * sound.rate) for at in (begin, end, blend))
    samples = fitted(sound, end).samples.astype(np.float32)
    own, lead = samples[start:stop].copy(), samples[max(0, start - over) : start]
    over = min(len(lead), len(own))
    if over:
        share = np.linspace(0, np.pi / 2, over, dtype=np.float32)[:, None]
        own[-over:] = np.cos(share) * own[-over:] + np.sin(share) * lead[-over:]
    return Sound(_levels(own), sound.rate)


def _levels(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.asarray(np.clip(np.rint(samples), -32768, 32767), np.int16)
