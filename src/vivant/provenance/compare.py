"""A clip against frames made again: how far apart are they?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from vivant.clip import Frame
from vivant.media.decoder import decoded_frames


@dataclass(frozen=True)
class Comparison:
    """``frames`` compared; ``mean`` and ``largest`` absolute difference in levels; ``psnr`` in
    dB (infinite where equal); ``same_count`` and ``same_size`` of frames."""

    frames: int
    mean: float
    largest: int
    psnr: float
    same_count: bool
    same_size: bool


def compare(path: Path, frames: Iterator[Frame]) -> Comparison:
    """Compare the decoded clip with ``frames``, one by one."""
    count, absolute, squared, values, largest = 0, 0.0, 0.0, 0, 0
    same_count = same_size = True
    colours = (frame[..., :3] for frame in frames)  # files are decoded without their alpha
    for a, b in zip_longest(decoded_frames(path), colours):
        if a is None or b is None:
            same_count = False
            break
        if a.shape != b.shape:
            same_size = False
            break
        difference = np.abs(a.astype(np.int16) - b)
        count += 1
        values += difference.size
        absolute += float(difference.sum())
        squared += float((difference.astype(np.float64) ** 2).sum())
        largest = max(largest, int(difference.max()))
    error = squared / max(values, 1)
    psnr = math.inf if error == 0 else 10 * math.log10(255**2 / error)
    return Comparison(count, absolute / max(values, 1), largest, psnr, same_count, same_size)
