"""The pattern: one square tile of band-limited waves, repeated over the frame.

Spread spectrum (Cox et al., "Secure spread spectrum watermarking for multimedia", 1997) in a
periodic tile (Kutter, "Watermarking resistant to translation, rotation and scaling", 1998).
Every wave of the tile has a phase of its own; half of the waves are the pilot, the same in every
clip, and each of the others carries the sign of one coded bit. The tile's side is half of the
frame's short side, so that it follows any resizing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.provenance.watermark.code import BITS

TILE = 128
"""Side of the tile in samples."""
TILES = 2
"""Tiles along the frame's short side."""
MAX_ASPECT = 8.0
"""Frames that are longer than this carry no mark, and none is looked for."""
LOW, HIGH = 8.0, 20.0
"""Band in waves per tile: below, the picture is too loud; above, encoders leave nothing."""
CREST = 1.8
"""Peaks are cut at this many standard deviations."""
_KEY = b"vivant watermark 1"


@dataclass(frozen=True)
class Waves:
    """The waves of a tile in the layout of ``numpy.fft.rfft2``, each ``[n]``.

    ``rows`` and ``columns`` of the spectrum; ``phases``, unit complex; ``bit``, the coded bit that
    a wave carries, -1 for the pilot.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    phases: NDArray[np.complex64]
    bit: NDArray[np.intp]


def _numbers(purpose: bytes, count: int) -> NDArray[np.uint32]:
    """Fixed pseudo-random numbers that no version of a library can change."""
    return np.frombuffer(hashlib.shake_256(_KEY + purpose).digest(4 * count), "<u4")


@cache
def waves() -> Waves:
    """The public waves of this version."""
    rows, columns = np.meshgrid(np.fft.fftfreq(TILE, 1 / TILE), np.arange(TILE // 2), indexing="ij")
    radius = np.hypot(rows, columns)
    half_plane = (columns > 0) | (rows > 0)  # the other half is its mirror image
    at = np.argwhere((radius >= LOW) & (radius <= HIGH) & half_plane)
    count = len(at)
    phases = np.exp(2j * np.pi * _numbers(b"phases", count) / 2**32).astype(np.complex64)
    order = np.argsort(_numbers(b"bits", count), kind="stable")
    bit = np.full(count, -1)
    carriers = order[: count // 2 // BITS * BITS]
    bit[carriers] = np.arange(len(carriers)) % BITS
    return Waves(at[:, 0], at[:, 1], phases, bit)


def tile(signs: Floats) -> Floats:
    """The tile ``[128, 128]`` for 48 signs: mean 0, standard deviation 1."""
    w = waves()
    spectrum = np.zeros((TILE, TILE // 2 + 1), np.complex64)
    spectrum[w.rows, w.columns] = w.phases * np.where(w.bit < 0, 1, signs[w.bit])
    values = np.fft.irfft2(spectrum, s=(TILE, TILE))
    values = np.clip(values / values.std(), -CREST, CREST)
    values -= values.mean()
    return np.asarray(values / values.std(), np.float32)


def sheet(signs: Floats, width: int, height: int) -> Floats:
    """The pattern for a whole frame, ``[height, width]``."""
    step = TILE * TILES / min(width, height)
    edge = 4  # the interpolation looks beyond the border
    across, down = (int(side * step) // TILE + 2 for side in (width, height))
    tiled = np.pad(np.tile(tile(signs), (down, across)), edge, mode="wrap")
    start = 0.5 * step - 0.5 + edge
    inverse = np.array([[step, 0, start], [0, step, start]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(tiled, inverse, (width, height), flags=flags), np.float32)
