"""A soft or drifting clip of a picture made exact: the picture's own pixels carried along by flow.

What a video model returns for a picture starts near it, not at it: softer, of another colour, often
smaller. `carry` adds the difference between picture and first frame to every frame, where the flow
has moved it. `drift_of` measures how colour runs away from the first frame's, `steadied` undoes it.
Flow is Dense Inverse Search (Kroeger et al., 2016) on small grey frames.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame

SHORT = 160
"""Pixels of the short side on which colours are compared and flow is sought for them."""
FINE = 320
"""The same of the flow that carries detail: on five training clips 0.2 to 1.2 dB nearer than 160,
and the first step no longer than a true one."""
AROUND = 2.5
"""Pixels of the clip over which its finest detail is compared."""
WEAK = 0.3
"""Power of detail, square levels, that tells nothing."""
CODING = 1.5
"""Levels of what is new in a frame at which half of it is taken for noise of its coding."""
LEAST_DETERMINANT = 0.35
"""Where the flow squeezes the picture's area below this share, detail fades out."""
SAMPLES = 4000
"""Correspondences of a frame that the colour is fitted to."""
LEAST_DRIFT = 1.5
"""Levels at the end of a clip; less drift is left as it is."""
MOST_DRIFT = 60.0
"""Levels; more is a change of the scene."""
MOST_LEFT = 0.5
"""A fit is believed where it leaves at most this share of what it explains."""
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
        offset = self.terms[:, 0] * t + self.terms[:, 2] * t * t
        gain = 1 + (self.terms[:, 1] * t + self.terms[:, 3] * t * t) / 255
        flat = (frame - offset) / np.maximum(gain, 0.25)
        return _levels(np.asarray(flat, np.float32))


def carry(
    picture: Frame, clip: Iterable[Frame], *, gated: bool = False, fade: float = math.inf
) -> Iterator[Frame]:
    """The frames of ``clip`` at the size of ``picture`` ``[H, W, 3]``, the first equal to it.

    The clip may be smaller and of another colour, its aspect is the picture's. ``gated`` trusts
    the fine part of the difference only where the flow explains the frame: for clips far softer
    than the picture. Without it the whole difference is carried, which jumps least. ``fade``
    frames after which a gated fine part counts for 1/e.
    """
    first: Frame | None = None
    flow: Floats | None = None
    rest = coarse = start = np.zeros(0, np.float32)
    for index, frame in enumerate(clip):
        if first is None:
            first = frame
            start = _sized(frame, picture)
            rest = picture.astype(np.float32) - start
            coarse = cv2.GaussianBlur(rest, (0, 0), max(2.0, min(picture.shape[:2]) / 40))
            yield picture.copy()
            continue
        flow = flow_to_first(first, frame, flow, FINE)
        gate = _gate(first, frame, flow) * math.exp(-index / fade) if gated else None
        moved = _fetched(start, flow)
        new = _cored(_sized(frame, picture) - moved)
        yield _levels(moved + new + _moved_rest(rest, coarse, flow, gate))


def flow_to_first(
    first: Frame, frame: Frame, before: Floats | None = None, short: int = SHORT
) -> Floats:
    """``[h, w, 2]``: where each pixel of ``frame`` was in ``first``, less where it is, as shares
    of width and height, on a grid of ``short`` side. ``before`` is the last frame's answer, from
    which the search starts."""
    scale = np.array(_small_size(first, short), np.float32)
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    start = None if before is None else before * scale
    flow = search.calc(_grey(frame, short), _grey(first, short), start)
    return np.asarray(flow / scale, np.float32)


def drift_of(clip: Sequence[Frame]) -> Drift:
    """How the colours of ``clip`` leave those of its first frame, by what flow finds again.

    A robust quadratic in time, held to nothing at the first frame. Guarded: a change that is no
    smooth run of time (lightning), too small or too large is no drift. A true slow change of the
    light cannot be told from drift: ask only where the light is meant to stay.
    """
    none = Drift(np.zeros((3, 4), np.float32))
    if len(clip) < 4:
        return none
    times, was, now = _correspondences(clip)
    terms = np.stack([_fitted(times, was[:, c], now[:, c]) for c in range(3)])
    found = Drift(np.asarray(terms, np.float32))
    left = np.abs(now - was - _shift(terms, times, was))
    believed = _per_frame(left, times) <= MOST_LEFT * _per_frame(np.abs(now - was), times)
    return found if believed and LEAST_DRIFT <= found.amount <= MOST_DRIFT else none


def steadied(clip: Sequence[Frame], drift: Drift) -> Iterator[Frame]:
    """The frames of ``clip`` with ``drift`` undone."""
    for index, frame in enumerate(clip):
        yield drift.undone(frame, index / max(1, len(clip) - 1))


def _cored(new: Floats) -> Floats:
    """What a frame ``[H, W, 3]`` shows that the first did not, without what is as weak as the noise
    of its coding: that would flicker around the picture (coring; Simoncelli and Adelson, 1996)."""
    power = cv2.blur((new * new).mean(axis=2), (7, 7))
    return np.asarray(new * (power / (power + CODING * CODING))[..., None], np.float32)


def _moved_rest(rest: Floats, coarse: Floats, flow: Floats, gate: Floats | None) -> Floats:
    size = (rest.shape[1], rest.shape[0])
    moved = _fetched(rest, flow)
    if gate is None:
        return moved
    large = cv2.resize(gate, size, interpolation=cv2.INTER_LINEAR)
    broad = _fetched(coarse, flow)
    return np.asarray(broad + large[..., None] * (moved - broad), np.float32)


def _gate(first: Frame, frame: Frame, flow: Floats) -> Floats:
    """How far detail is trusted, 0 to 1, on the grid of ``flow``: as far as the finest detail that
    the clip itself has is found again where the flow says (local correlation, which colours that
    drift do not change), inside the picture, less where it is squeezed."""
    then, now = (cv2.cvtColor(one, cv2.COLOR_RGB2GRAY).astype(np.float32) for one in (first, frame))
    then, now = _finest(_fetched(then, flow)), _finest(now)
    power = (_around(then * then) + WEAK) * (_around(now * now) + WEAK)
    alike = np.clip(_around(then * now) / np.sqrt(power), 0, 1)
    size = (flow.shape[1], flow.shape[0])
    trusted = cv2.resize(alike, size, interpolation=cv2.INTER_AREA)
    determinant = np.clip(_determinant(flow) / LEAST_DETERMINANT, 0, 1)
    return np.asarray(trusted * _inside(flow) * determinant, np.float32)


def _finest(light: Floats) -> Floats:
    return np.asarray(light - cv2.GaussianBlur(light, (0, 0), 1.0), np.float32)


def _around(values: Floats) -> Floats:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), AROUND), np.float32)


def _determinant(flow: Floats) -> Floats:
    h, w = flow.shape[:2]
    xy, xx = np.gradient(flow[..., 0] * w)
    yy, yx = np.gradient(flow[..., 1] * h)
    return np.asarray((1 + xx) * (1 + yy) - xy * yx, np.float32)


def _inside(flow: Floats) -> Floats:
    h, w = flow.shape[:2]
    places = _places(flow)
    x, y = places[..., 0], places[..., 1]
    return np.asarray((x >= 0) & (x <= w - 1) & (y >= 0) & (y <= h - 1), np.float32)


def _fetched(values: Floats, flow: Floats) -> Floats:
    """``values`` ``[H, W, C]`` of the first frame, where ``flow`` sees them."""
    h, w = values.shape[:2]
    full = flow if flow.shape[:2] == (h, w) else cv2.resize(flow, (w, h))
    return np.asarray(
        cv2.remap(values, _places(full), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )


def _places(flow: Floats) -> Floats:
    h, w = flow.shape[:2]
    y, x = np.mgrid[:h, :w]
    return np.asarray(np.stack([x + flow[..., 0] * w, y + flow[..., 1] * h], -1), np.float32)


def _correspondences(clip: Sequence[Frame]) -> tuple[Floats, Floats, Floats]:
    """Times ``[N]`` and colours ``[N, 3]`` in the first and the later frame, levels."""
    size = _small_size(clip[0])
    then = cv2.resize(clip[0], size, interpolation=cv2.INTER_AREA).astype(np.float32)
    then = cv2.GaussianBlur(then, (0, 0), 1.5)
    flow: Floats | None = None
    found = []
    for index, frame in enumerate(clip[1:], 1):
        flow = flow_to_first(clip[0], frame, flow)
        now = cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        now = cv2.GaussianBlur(now, (0, 0), 1.5)
        was = _fetched(then, flow)
        seen = (_inside(flow) > 0) & (now.min(axis=2) > 4) & (now.max(axis=2) < 251)
        step = max(1, int(seen.sum()) // SAMPLES)
        pair = was[seen][::step], now[seen][::step]
        found.append((np.full(len(pair[0]), index / (len(clip) - 1), np.float32), *pair))
    times, was, now = (np.concatenate(part) for part in zip(*found, strict=True))
    return times, was, now


def _terms(times: Floats, was: Floats) -> Floats:
    level = was / 255
    return np.stack([times, times * level, times**2, times**2 * level], axis=1)


def _fitted(times: Floats, was: Floats, now: Floats) -> Floats:
    """The four terms of one channel: least squares, reweighted by Tukey's biweight."""
    if len(times) < 64:
        return np.zeros(4, np.float32)
    basis, target = _terms(times, was).astype(np.float64), (now - was).astype(np.float64)
    weight: NDArray[np.float64] = np.ones(len(times))
    terms = np.zeros(4)
    for _ in range(ROUNDS):
        scaled = basis * weight[:, None]
        square = scaled.T @ basis + 1e-3 * np.eye(4)
        terms = np.asarray(np.linalg.solve(square, scaled.T @ target), np.float64)
        left = target - basis @ terms
        spread = max(1.0, 1.4826 * float(np.median(np.abs(left))))
        near = np.clip(1 - (left / (TUKEY * spread)) ** 2, 0, 1)
        weight = np.asarray(near**2, np.float64)
    return np.asarray(terms, np.float32)


def _shift(terms: Floats, times: Floats, was: Floats) -> Floats:
    return np.stack([_terms(times, was[:, c]) @ terms[c] for c in range(3)], axis=1)


def _per_frame(values: Floats, times: Floats) -> float:
    """The mean over frames of the median of ``values``: one flash among them counts."""
    return float(np.mean([np.median(values[times == t]) for t in np.unique(times)] or [0.0]))


def _small_size(frame: Frame, short: int = SHORT) -> tuple[int, int]:
    h, w = frame.shape[:2]
    scale = min(1.0, short / min(h, w))
    return max(16, round(w * scale)), max(16, round(h * scale))


def _grey(frame: Frame, short: int) -> Frame:
    """Small, grey, and of one mean and deviation, so that light is not taken for motion."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, _small_size(frame, short), interpolation=cv2.INTER_AREA).astype(
        np.float32
    )
    return _levels(128 + (grey - grey.mean()) * (48 / max(float(grey.std()), 1.0)))


def _sized(frame: Frame, picture: Frame) -> Floats:
    size = (picture.shape[1], picture.shape[0])
    if frame.shape == picture.shape:
        return frame.astype(np.float32)
    return cv2.resize(frame.astype(np.float32), size, interpolation=cv2.INTER_LANCZOS4)


def _levels(values: Floats) -> Frame:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
