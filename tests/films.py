"""Whole clips in memory, for looking at what was written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vivant.media.animation import is_animation
from vivant.media.video import iter_video, probe


@dataclass(frozen=True)
class Film:
    """``frames`` ``[T, H, W, 3]`` and their rate (24 where the file states none)."""

    frames: NDArray[np.uint8]
    fps: float


def read_video(path: Path) -> Film:
    frames = np.stack(list(iter_video(path)))
    still = path.is_dir() or is_animation(path)
    return Film(frames, 24.0 if still else probe(path).fps)
