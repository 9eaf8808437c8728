"""Marking frames: the pattern is added to the brightness, stronger where texture hides it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Literal

import cv2
import numpy as np

from vivant.clip import Floats, Frame, VideoSpec
from vivant.provenance.watermark.code import encode
from vivant.provenance.watermark.pattern import MAX_ASPECT, TILE, sheet

MIN_SIDE = 128
"""Frames with a shorter side carry no mark: nothing of it would outlast an encoder."""
FLAT, PER_ACTIVITY, MOST = 0.6, 0.25, 3.0
"""Standard deviation of the mark in levels: on flat areas, per level of activity, at most."""
MOST_OF_FRAME = 2.3
"""At most so many levels over a whole frame: 40.9 dB."""
QUIET = 1.0
"""Levels of activity below which a file with a palette carries no mark."""
RAMP = 12
"""Frames until the mark is at full strength, and, in a loop, from full strength to its end: a
quarter of the clip at most. Only where frame 0 stays."""
_SHORT = 180
_AROUND = 25
_CREST = 2.0


Carrier = Literal["exact", "lossy", "palette"]
"""The kind of file. "exact": frame 0 stays, and the mark fades in behind it. "lossy": no frame
stays anyway, all are marked alike, so that nothing pulses where a loop begins again. "palette":
the same, but even ground is left alone, where a few colours would shimmer and cost space."""


def can_mark(spec: VideoSpec) -> bool:
    """Whether a clip can carry the mark: a second frame, a short side of 128 pixels, and a long
    one of 8 times that at most."""
    short, long = sorted((spec.width, spec.height))
    return spec.count > 1 and short >= MIN_SIDE and long <= MAX_ASPECT * short


def mark(
    frames: Iterable[Frame],
    spec: VideoSpec,
    identifier: int,
    loop: bool = False,
    carrier: Carrier = "exact",
) -> Iterator[Frame]:
    """The frames ``[H, W, 3]`` with the mark; those given are not changed.

    For an "exact" carrier frame 0 is untouched, and ``loop`` lets the mark fade before the end, as
    it does after frame 0. Raises ValueError for an identifier that is no 20-bit number or a clip
    that cannot be marked (`can_mark`).
    """
    if not can_mark(spec):
        raise ValueError(f"{spec} cannot carry a watermark")
    pattern = sheet(encode(identifier), spec.width, spec.height)
    marker = Marker(pattern, even_ground=carrier != "palette")
    ramp = max(1, min(RAMP, spec.count // 4))
    for index, frame in enumerate(frames):
        near = min(index, spec.count - index) if loop else index
        strength = min(1.0, near / ramp) if carrier == "exact" else 1.0
        yield marker.add(frame, strength) if strength else frame


class Marker:
    """Adds one ``pattern`` ``[H, W]`` to frames of its size; holds the buffers this needs.

    ``even_ground`` says whether areas without texture are marked, too.
    """

    def __init__(self, pattern: Floats, even_ground: bool = True) -> None:
        height, width = pattern.shape
        self._pattern = pattern
        self._even_ground = even_ground
        scale = _SHORT / min(width, height)
        self._small = (round(width * scale), round(height * scale))
        self._gain = np.empty_like(pattern)
        self._levels = np.empty_like(pattern)
        self._dither = dither(width, height)
        self._negative = -self._dither
        self._delta = np.empty((height, width), np.uint8)
        self._colour = np.empty((height, width, 3), np.uint8)
        self._grey = np.empty((height, width), np.uint8)

    def add(self, frame: Frame, strength: float) -> Frame:
        """A marked copy; ``strength`` 0..1. The same amount goes to R, G and B, rounded."""
        height, width = self._pattern.shape
        cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY, dst=self._grey)
        small = cv2.resize(self._grey, self._small, interpolation=cv2.INTER_AREA)
        cv2.resize(gain(small, self._even_ground), (width, height), dst=self._gain)
        cv2.multiply(self._gain, self._pattern, dst=self._levels, scale=strength)
        out = np.empty_like(frame)
        # what is added and what is taken away, apart: 8-bit sums saturate, and are fast
        cv2.add(self._levels, self._dither, dst=self._delta, dtype=cv2.CV_8U)
        cv2.cvtColor(self._delta, cv2.COLOR_GRAY2RGB, dst=self._colour)
        cv2.add(frame, self._colour, dst=out)
        cv2.subtract(self._negative, self._levels, dst=self._delta, dtype=cv2.CV_8U)
        cv2.cvtColor(self._delta, cv2.COLOR_GRAY2RGB, dst=self._colour)
        cv2.subtract(out, self._colour, dst=out)
        return out


def gain(grey: Frame, even_ground: bool = True) -> Floats:
    """Levels of mark for a small grey picture ``[h, w]``, of the same shape.

    Activity is the local standard deviation; its local minimum is taken, so that an edge does
    not spill onto the flat area beside it. Black and white leave no room and get less; without
    ``even_ground``, areas of less than `QUIET` activity get nothing.
    """
    values = grey.astype(np.float32)
    detail = values - cv2.blur(values, (7, 7))
    activity = cv2.sqrt(cv2.max(cv2.blur(detail * detail, (5, 5)), 0.0))
    activity = cv2.blur(cv2.erode(activity, np.ones((5, 5), np.uint8)), (5, 5))
    room = np.minimum(values, 255 - values) / _CREST
    levels = np.minimum(np.minimum(FLAT + PER_ACTIVITY * activity, MOST), room)
    if not even_ground:
        textured = cv2.blur((activity > QUIET).astype(np.float32), (_AROUND, _AROUND))
        levels *= np.clip((textured - 0.75) * 5, 0, 1)
    overall = float(np.sqrt(np.mean(levels * levels)))
    return np.asarray(levels * min(1.0, MOST_OF_FRAME / max(overall, 1e-6)), np.float32)


def dither(width: int, height: int) -> Floats:
    """Thresholds -0.5..0.5 for rounding, ``[height, width]``: blue noise, one tile repeated.

    With them a mark of a fraction of a level is kept in the mean and shows no contours (Ulichney,
    "Digital halftoning", 1987).
    """
    raw = np.frombuffer(hashlib.shake_256(b"vivant dither").digest(4 * TILE * TILE), "<u4")
    radius = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None])
    white = np.fft.rfft2((raw / 2**32).reshape(TILE, TILE))
    blue = np.fft.irfft2(white * radius**2, s=(TILE, TILE))
    rank = np.argsort(np.argsort(blue, axis=None, kind="stable"), kind="stable")
    values = ((rank + 0.5) / rank.size - 0.5).astype(np.float32).reshape(TILE, TILE)
    repeats = (-(-height // TILE), -(-width // TILE))
    return np.ascontiguousarray(np.tile(values, repeats)[:height, :width])
