"""The stream of sound in a file that is being written."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np

from vivant.clip import Sound

CHUNK = 4096
"""Samples that are encoded at a time."""


class Voice:
    """Sound that is encoded beside the frames of a ``container`` by ``encoder``."""

    def __init__(self, container: Any, encoder: str, sound: Sound) -> None:
        self.container, self.sound = container, sound
        channels = sound.samples.shape[1]
        self.layout = "mono" if channels == 1 else "stereo"
        self.stream: Any = container.add_stream(encoder, rate=sound.rate, layout=self.layout)
        if encoder != "flac":
            self.stream.bit_rate = 96_000 * channels
        self.done = 0

    def until(self, seconds: float) -> None:
        """Encode what is heard by then."""
        stop = min(len(self.sound.samples), round(seconds * self.sound.rate))
        while self.done + CHUNK <= stop:
            self._encode(self.done + CHUNK)

    def close(self, seconds: float) -> None:
        """Encode the rest, up to the end of the frames, and what the encoder holds back."""
        stop = min(len(self.sound.samples), round(seconds * self.sound.rate))
        while self.done < stop:
            self._encode(min(stop, self.done + CHUNK))
        self.container.mux(self.stream.encode(None))

    def _encode(self, stop: int) -> None:
        part = np.ascontiguousarray(self.sound.samples[self.done : stop]).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(part, format="s16", layout=self.layout)
        frame.sample_rate = self.sound.rate
        frame.pts, frame.time_base = self.done, Fraction(1, self.sound.rate)
        self.container.mux(self.stream.encode(frame))
        self.done = stop
