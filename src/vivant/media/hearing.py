"""The sound of footage, as samples from its first frame on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Sound
from vivant.errors import MediaError, VivantError
from vivant.media.video import check_exists, open_video

RATE = 48_000
MOST_SECONDS = 610
"""More than footage may last; the rest of a longer sound is not read."""
APART = 0.02
"""Seconds by which sound may begin beside the picture before it is moved."""


def read_sound(path: Path) -> Sound | None:
    """The first stream of sound, mono or stereo, 48000 samples a second; None where there is none.

    What begins before the first frame is cut off, what begins after it follows silence. Raises
    UsageError where there is no such file, MediaError where it cannot be decoded.
    """
    check_exists(path)
    try:
        with open_video(path) as container:
            if not container.streams.audio:
                return None
            return _read(container, container.streams.audio[0])
    except VivantError:
        raise
    except Exception as error:  # decoders raise more than their documented errors
        raise MediaError(f"The sound of {path} cannot be decoded ({error}).") from error


def _read(container: Any, stream: Any) -> Sound | None:
    layout = "mono" if stream.codec_context.channels == 1 else "stereo"
    change = av.AudioResampler(format="s16", layout=layout, rate=RATE)
    channels = 1 if layout == "mono" else 2
    parts: list[NDArray[np.int16]] = []
    begins, length = None, 0
    for frame in container.decode(stream):
        if begins is None:
            begins = float(frame.time or 0.0) - _picture_begins(container)
        for piece in change.resample(frame):
            parts.append(np.asarray(piece.to_ndarray(), np.int16).reshape(-1, channels))
            length += len(parts[-1])
        if length > MOST_SECONDS * RATE:
            break
    if begins is None or not parts:
        return None
    return Sound(_moved(np.concatenate(parts), begins), RATE)


def _picture_begins(container: Any) -> float:
    for stream in container.streams.video:
        if stream.start_time is not None:
            return float(stream.start_time * stream.time_base)
    return 0.0


def _moved(samples: NDArray[np.int16], begins: float) -> NDArray[np.int16]:
    """Samples that begin so many seconds after the picture, as they are from its beginning on."""
    off = round(begins * RATE) if abs(begins) > APART else 0
    if off >= 0:
        return np.concatenate([np.zeros((off, samples.shape[1]), np.int16), samples])
    return samples[-off:]
