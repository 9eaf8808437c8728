"""How a clip's colours run away from its first frame's, measured and undone.

Colours are compared where optical flow finds the same thing again: in the first frame, or, where
that has gone from sight, in frames shortly before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.rendering.explained import fetched, flow_to_first, inside, levels, small_size

SAMPLES = 2500
"""Correspondences of a frame that the colour is fitted to."""
ERROR = 8.0
"""Levels of disagreement at which a correspondence counts for 1/e."""
BROAD = 8.0
"""Pixels of the small frames; what is broader is colour, not structure."""
LEAST_SEEN = 256
"""Correspondences of a whole clip; fewer tell nothing."""
LEAST_TRUST = 0.02
"""How much a correspondence counts that the flow does not explain at all."""
BEFORE = 2
"""Frames back to where a thing is sought that has left the first frame's view."""
LEAST_DRIFT = 1.5
"""Levels at the end of a clip; less drift is left as it is."""
MOST_DRIFT = 60.0
"""Levels; more is a change of the scene."""
MOST_LEFT_OF_FIRST, MOST_LEFT_OF_BEFORE = 0.2, 0.5
"""A fit is believed where it leaves at most this share of the frames' shifts, ..."""
MOST_LEVELS = 4.0
"""... and of no frame's shift more than so many levels, ..."""
MOST_OF_LARGEST = 0.3
"""... or more than this share of the largest: lightning is no drift, a light that flickers beside a
large drift hides none."""
ROUNDS = 8
TUKEY = 4.685
"""Of deviations; the tuning constant of Tukey's biweight."""


@dataclass(frozen=True)
class Drift:
    """How colour leaves the first frame's: at time t (0 = first, 1 = last frame) level c of a
    channel is seen as ``c + (p0 + p1 c/255) t + (p2 + p3 c/255) t^2``; ``terms`` ``[3, 4]`` in
    levels, zeros where nothing is to be corrected. ``amount`` levels: the largest shift of a
    channel at the end, at middle grey."""

    terms: Floats

    @property
    def amount(self) -> float:
        """See the class."""
        return float(np.abs(self.terms @ np.array([1, 0.5, 1, 0.5])).max())

    def undone(self, frame: Frame, t: float) -> Frame:
        """``frame`` ``[H, W, 3]`` as the first one's colours would show it."""
        if not self.terms.any() or t == 0:
            return frame
        return levels(_undone(frame.astype(np.float32), t, self.terms.T))


@dataclass(frozen=True)
class _Seen:
    """Colours ``was`` and ``now`` ``[N, 3]`` of the same things at the times ``since`` and
    ``times`` ``[N]``, and how far each is trusted."""

    times: Floats
    since: Floats
    was: Floats
    now: Floats
    trust: Floats


def drift_of(clip: Sequence[Frame], *, guarded: bool = True) -> Drift:
    """How the colours of ``clip`` leave those of its first frame, by what flow finds again.

    A robust quadratic in time, held to nothing at the first frame. ``guarded``: a change that is
    no smooth run of time (lightning), too small or too large is no drift; else the fit is taken as
    it is. A true slow change of the light cannot be told from drift: ask only where the light is
    meant to stay.
    """
    if len(clip) >= 4:
        for before, most_left in ((_first, MOST_LEFT_OF_FIRST), (_shortly, MOST_LEFT_OF_BEFORE)):
            seen = _seen(clip, before)
            if len(seen.times) < LEAST_SEEN:
                continue  # all of it is black or white
            terms, left = zip(*(_fitted(seen, channel) for channel in range(3)), strict=True)
            found = Drift(np.stack(terms))
            if not guarded:
                return found
            if _believed(seen, np.stack(left, 1), most_left) and found.amount <= MOST_DRIFT:
                return found if found.amount >= LEAST_DRIFT else _NONE
    return _NONE


def steadied(clip: Sequence[Frame], drift: Drift) -> Iterator[Frame]:
    """The frames of ``clip`` with ``drift`` undone."""
    for index, frame in enumerate(clip):
        yield drift.undone(frame, index / max(1, len(clip) - 1))


_NONE = Drift(np.zeros((3, 4), np.float32))


def _first(index: int) -> int:
    return 0


def _shortly(index: int) -> int:
    return max(0, index - BEFORE)


def _seen(clip: Sequence[Frame], before: Callable[[int], int]) -> _Seen:
    """What each frame has in common with that of number ``before`` (its own)."""
    small = [_small(frame) for frame in clip]
    flow: Floats | None = None
    found = []
    for index in range(1, len(clip)):
        start = before(index)
        flow = flow_to_first(clip[start], clip[index], flow)
        was, now = fetched(small[start], flow), small[index]
        kept = (inside(flow) > 0) & (now.min(axis=2) > 4) & (now.max(axis=2) < 251)
        kept &= (was.min(axis=2) > 4) & (was.max(axis=2) < 251)
        chosen = np.flatnonzero(kept)
        chosen = chosen[:: max(1, len(chosen) // SAMPLES)]
        trust = _trusted(was, now).ravel()[chosen]
        times = (np.full(len(chosen), k / (len(clip) - 1), np.float32) for k in (index, start))
        found.append((*times, was.reshape(-1, 3)[chosen], now.reshape(-1, 3)[chosen], trust))
    times_, since, was, now, trust = (np.concatenate(part) for part in zip(*found, strict=True))
    return _Seen(times_, since, was, now, trust + LEAST_TRUST)


def _trusted(was: Floats, now: Floats) -> Floats:
    """How far the flow explains a frame, 0 to 1: by structure, since colours may drift."""
    error = np.abs(_structure(was) - _structure(now)).mean(axis=2)
    return np.asarray(np.exp(-((cv2.GaussianBlur(error, (0, 0), 1.0) / ERROR) ** 2)), np.float32)


def _structure(values: Floats) -> Floats:
    return np.asarray(values - cv2.GaussianBlur(values, (0, 0), BROAD), np.float32)


def _small(frame: Frame) -> Floats:
    small = cv2.resize(frame, small_size(frame), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small.astype(np.float32), (0, 0), 1.5), np.float32)


def _fitted(seen: _Seen, channel: int) -> tuple[Floats, Floats]:
    """The four terms of one channel, and what they leave: least squares, weighted by trust and
    reweighted by Tukey's biweight."""
    was, now = seen.was[:, channel], seen.now[:, channel]
    terms = np.zeros(4, np.float32)
    weight = seen.trust.astype(np.float64)
    left = now - was
    for _ in range(ROUNDS):
        first = _undone(was, seen.since, terms)  # as the first frame's colours would show it
        basis = (_terms(seen.times, first) - _terms(seen.since, first)).astype(np.float64)
        scaled = basis * weight[:, None]
        square = scaled.T @ basis + 1e-3 * np.eye(4)
        terms = np.asarray(np.linalg.solve(square, scaled.T @ (now - was)), np.float32)
        left = np.asarray(now - was - basis @ terms, np.float32)
        spread = max(1.0, 1.4826 * _median(np.abs(left), seen.trust))
        near = np.clip(1 - (left / (TUKEY * spread)) ** 2, 0, 1)
        weight = seen.trust * near**2
    return terms, left


def _terms(times: Floats, level: Floats) -> Floats:
    share = level / 255
    return np.stack([times, times * share, times**2, times**2 * share], axis=1)


def _undone(values: Floats, t: Floats | float, terms: Floats) -> Floats:
    """``values`` at time ``t`` with the drift of ``terms`` ``[4, ...]`` taken out."""
    offset = terms[0] * t + terms[2] * t * t
    gain = 1 + (terms[1] * t + terms[3] * t * t) / 255
    return np.asarray((values - offset) / np.maximum(gain, 0.25), np.float32)


def _believed(seen: _Seen, left: Floats, most: float) -> bool:
    """Whether the frames' shifts are explained: one flash among them counts."""
    whole, rest = _shifts(seen, seen.now - seen.was), _shifts(seen, left)
    explained = np.sqrt((rest**2).sum()) <= most * np.sqrt((whole**2).sum())
    bound = max(MOST_LEVELS, MOST_OF_LARGEST * float(np.abs(whole).max()))
    return bool(explained and np.abs(rest).max() <= bound)


def _shifts(seen: _Seen, values: Floats) -> NDArray[np.float64]:
    """Weighted medians ``[frames, 3]`` of ``values`` ``[N, 3]``."""
    frames = [seen.times == time for time in np.unique(seen.times)]
    return np.array([[_median(v, seen.trust[of]) for v in values[of].T] for of in frames])


def _median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
