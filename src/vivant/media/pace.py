"""At which rate footage is taken, and how often each of its frames is shown then."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.errors import MediaError
from vivant.media.animation import animation_frames
from vivant.media.timing import exact_rate
from vivant.media.video import open_video, pictures_of

UNEVEN = 0.6
"""Frames by which a frame may come off its time in footage of one rate."""
MOST_FPS = 240.0
LONGEST = 2400
"""Frames as which one may be shown: 10 s at the highest rate."""


@dataclass(frozen=True)
class Pace:
    """``fps`` frames a second; ``shown``: how often each coded frame is shown, in order; ``even``
    where it was of one rate."""

    fps: float
    shown: tuple[int, ...]
    even: bool


def pace_of(path: Path, animated: bool) -> Pace:
    """How a clip, or an ``animated`` picture, is paced. Found once for each state of a file.

    Raises MediaError where it stands still for too long.
    """
    facts = path.stat()
    return _pace(path, animated, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=16)
def _pace(path: Path, animated: bool, changed: int, size: int) -> Pace:
    if animated:
        delays = np.array([seconds for _, seconds in animation_frames(path)])
        return _paced(path, np.cumsum(delays) - delays, float(delays.sum()))
    with open_video(path) as container:
        return _packets(path, container, pictures_of(path, container))


def _packets(path: Path, container: Any, stream: Any) -> Pace:
    """From the times of the packets; nothing is decoded."""
    packets = [p for p in container.demux(stream) if p.size and not p.is_discard]
    stated = [float(p.pts * p.time_base) for p in packets if p.pts is not None]
    times = np.array(sorted(stated)) - min(stated, default=0.0)
    if len(stated) < len(packets) or len(times) < 2 or times[-1] <= 0:
        guessed = float(stream.average_rate or stream.guessed_rate or 25)
        return Pace(guessed, (1,) * max(1, len(packets)), True)
    return _paced(path, times, None)


def _paced(path: Path, times: NDArray[np.float64], end: float | None) -> Pace:
    """Frames at ``times`` of a clip that is over at ``end`` seconds, where that is known."""
    count = len(times)
    over = float(times[-1]) * count / max(count - 1, 1) if end is None else end
    fps = count / over
    if np.abs(times * fps - np.arange(count)).max() <= UNEVEN:
        return Pace(float(exact_rate(round(fps, 3))), (1,) * count, True)
    usual = float(np.median(np.diff(times)))
    fps = float(np.clip(round(1 / max(usual, 1e-3), 2), 1, MOST_FPS))
    last = times[-1] + 1 / fps if end is None else end
    shown = np.diff(np.rint(np.append(times, last) * fps).astype(int))
    if int(shown.max()) > LONGEST:
        raise MediaError(f"{path} stands still for over 10 s between two frames; cut it there.")
    return Pace(fps, tuple(int(n) for n in shown), False)
