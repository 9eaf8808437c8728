"""Finding the mark in a clip of which nothing else is known.

Each frame's detail is divided by its local deviation and summed over time; the spectrum of the
sum is whitened. For every scale and for the mirror image the sum is folded onto one tile, whose
circular correlation with the pilot shows the mark as one peak, wherever the frame was cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.provenance.watermark.code import BITS, VERSION, Payload, decode
from vivant.provenance.watermark.pattern import HIGH, LOW, MAX_ASPECT, TILE, TILES, Waves, waves

SHORT = 320
"""Frames are brought to this short side."""
EVERY, MOST_FRAMES = 2, 240
"""Every second frame is looked at, and 240 of them at most."""
THRESHOLD = 6.5
"""Height of the peak, in standard deviations of the correlation, from which on a mark is found."""
READABLE = 1.0
"""Least margin, in standard deviations, of an identifier that is reported."""
SMALLEST, LARGEST, STEP = 0.9, 1.75, 0.006
"""Scales searched: 1 / LARGEST is the smallest share of the short side a cut may leave."""
_FINER = np.linspace(-1, 1, 7) * STEP


@dataclass(frozen=True)
class Found:
    """``score``: height of the best peak; ``payload`` the likeliest reading there, None where no
    mark is found; ``scale`` of the pattern against the uncut frame; ``mirrored``."""

    score: float
    payload: Payload | None = None
    scale: float = 1.0
    mirrored: bool = False

    @property
    def found(self) -> bool:
        """Whether there is a mark."""
        return self.payload is not None

    @property
    def identifier(self) -> str | None:
        """Five hexadecimal digits, None where they cannot be read with confidence."""
        said = self.payload
        if said is None or said.version != VERSION or said.margin < READABLE:
            return None
        return f"{said.identifier:05x}"


@dataclass(frozen=True)
class _Peak:
    score: float
    scale: float
    mirrored: bool
    row: int
    column: int


def detect(frames: Iterable[Frame]) -> Found:
    """Look for the mark in frames ``[H, W, 3]`` of one size (others are passed over)."""
    total = accumulate(frames)
    if total is None or not np.any(total):
        return Found(0.0)
    white = whitened(total)
    coarse = np.exp(np.arange(np.log(SMALLEST), np.log(LARGEST), STEP))
    best = _search(white, coarse)
    best = max(best, _search(white, best.scale * (1 + _FINER)), key=lambda peak: peak.score)
    if best.score < THRESHOLD:
        return Found(best.score)
    return Found(best.score, _read(white, best), best.scale, best.mirrored)


def accumulate(frames: Iterable[Frame]) -> Floats | None:
    """The detail of the brightness, even everywhere and summed over time; ``[h, w]``, None
    without frames."""
    total: Floats | None = None
    for index, frame in enumerate(frames):
        if index >= EVERY * MOST_FRAMES:
            break
        if index % EVERY and index > 1:  # frame 0 has no mark: a clip of two frames counts, too
            continue
        if max(frame.shape[:2]) > MAX_ASPECT * min(frame.shape[:2]):
            continue
        part = _detail(frame)
        if total is None:
            total = part
        elif part.shape == total.shape:
            total += part
    return None if total is None else _weighted(total)


def _detail(frame: Frame) -> Floats:
    height, width = frame.shape[:2]
    scale = SHORT / min(width, height)
    size = (round(width * scale), round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    grey = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), size, interpolation=method)
    values = grey.astype(np.float32)
    detail = values - cv2.GaussianBlur(values, (0, 0), 4.0)
    deviation = _root_mean(detail * detail, 9)
    return np.asarray(np.clip(detail / (deviation + 0.15), -2, 2), np.float32)


def _root_mean(square: Floats, window: int) -> Floats:
    # running sums of floats can fall a little below zero
    return np.asarray(cv2.sqrt(cv2.max(cv2.blur(square, (window, window)), 0.0)))


def _weighted(values: Floats) -> Floats:
    """Divided by the local variance: the weight of a matched filter in uneven noise, since what
    moves or was encoded coarsely is less quiet than what stands still."""
    square = values * values
    overall = float(np.sqrt(square.mean())) + 1e-9
    deviation = _root_mean(square, 15) / overall + 0.15
    return np.asarray(values / (deviation * deviation), np.float32)


def whitened(values: Floats) -> Floats:
    """``values`` with a flat spectrum within the band of the pattern at all scales."""
    height, width = values.shape
    spectrum = np.fft.rfft2(values * np.outer(_fade(height), _fade(width)))
    size = np.abs(spectrum).astype(np.float32)
    wrapped = cv2.copyMakeBorder(size, 5, 5, 5, 5, cv2.BORDER_WRAP)
    smooth = np.maximum(cv2.blur(wrapped, (5, 5))[5:-5, 5:-5], 0)
    per_tile = SHORT / TILES
    radius = per_tile * np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    band = (radius > 0.95 * LOW / LARGEST) & (radius < 1.05 * HIGH / SMALLEST)
    flat = np.where(band, spectrum / (smooth + 1e-6 * smooth.max() + 1e-12), 0)
    return np.fft.irfft2(flat, s=values.shape).astype(np.float32)


def _fade(side: int) -> Floats:
    place = np.arange(side) + 0.5
    return np.minimum(1, np.minimum(place, side - place) / 12).astype(np.float32)


def folded(values: Floats, scale: float) -> Floats:
    """``values`` folded onto one tile ``[128, 128]``, if the pattern has this scale."""
    ratio = TILE * TILES / (SHORT * scale)
    down, across = (-(-round(side * ratio) // TILE) for side in values.shape)
    shift = 0.5 * ratio - 0.5
    matrix = np.array([[ratio, 0, shift], [0, ratio, shift]])
    # linear: the values hold nothing above the band
    wide = cv2.warpAffine(values, matrix, (across * TILE, down * TILE), flags=cv2.INTER_LINEAR)
    return np.asarray(wide.reshape(down, TILE, across, TILE).sum(axis=(0, 2)), np.float32)


def _pilot(w: Waves, mirrored: bool) -> NDArray[np.complex64]:
    """The pilot's spectrum, conjugated."""
    out = np.zeros((TILE, TILE // 2 + 1), np.complex64)
    pilot = w.bit < 0
    out[w.rows[pilot], w.columns[pilot]] = w.phases[pilot]
    if mirrored:
        out = np.fft.rfft2(np.fft.irfft2(out, s=(TILE, TILE))[:, ::-1]).astype(np.complex64)
    return np.conj(out)


def _search(white: Floats, scales: NDArray[np.floating]) -> _Peak:
    """The highest peak over scales and mirror images."""
    pilots = [_pilot(waves(), mirrored) for mirrored in (False, True)]
    best = _Peak(0.0, 1.0, False, 0, 0)
    for scale in scales:
        spectrum = np.fft.rfft2(folded(white, float(scale)))
        for mirrored, pilot in enumerate(pilots):
            surface = np.fft.irfft2(spectrum * pilot, s=(TILE, TILE))
            at = int(surface.argmax())
            score = float(surface.flat[at] / (surface.std() + 1e-12))
            if score > best.score:
                row, column = divmod(at, TILE)
                best = _Peak(score, float(scale), bool(mirrored), row, column)
    return best


def _read(white: Floats, peak: _Peak) -> Payload:
    """The payload at a peak."""
    w = waves()
    tile = folded(white, peak.scale)
    column = peak.column
    if peak.mirrored:  # the peak is where the mirrored pattern starts
        tile, column = np.ascontiguousarray(tile[:, ::-1]), -column
    rows = np.where(w.rows > TILE // 2, w.rows - TILE, w.rows)
    spectrum = np.fft.rfft2(tile)[w.rows, w.columns] * np.conj(w.phases)
    pilot = w.bit < 0

    def turned(down: float, across: float) -> NDArray[np.complexfloating]:
        phase = rows * (peak.row + down) + w.columns * (column + across)
        return spectrum * np.exp(2j * np.pi / TILE * phase)

    near = np.linspace(-1, 1, 5)
    shifts = [(down, across) for down in near for across in near]
    aligned = turned(*max(shifts, key=lambda s: float(turned(*s)[pilot].real.sum())))
    noise = float(np.sqrt(np.mean(aligned.imag**2))) + 1e-12
    limited = np.clip(aligned.real / noise, -3, 3)
    sums = np.bincount(w.bit[~pilot], limited[~pilot], BITS)
    counts = np.bincount(w.bit[~pilot], minlength=BITS)
    return decode((sums / np.sqrt(counts)).astype(np.float32))
