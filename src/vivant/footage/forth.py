"""Footage that goes forth and back: a loop of what never looks the same again.

It turns gently: towards both ends it slows down, and in-between frames are made up there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vivant.clip import Floats, Frame
from vivant.errors import UsageError
from vivant.footage.retime import shown
from vivant.footage.source import Footage

TURNS = 0.4
"""Seconds in which it slows down, and gathers speed again."""


@dataclass(frozen=True)
class Forth:
    """Frames from ``start`` to ``stop`` of a clip and back again; over ``turn`` frames, an even
    number, it slows down before both ends."""

    start: int
    stop: int
    turn: int

    @property
    def half(self) -> int:
        """Steps from one end to the other."""
        return self.stop - self.start - 1 + self.turn

    @property
    def count(self) -> int:
        """Frames of the loop."""
        return 2 * self.half

    @property
    def places(self) -> Floats:
        """Where the clip is at each frame from one end to the other, in frames from ``start``: at
        full speed in the middle, which shows frames as they were filmed."""
        at = np.arange(self.half + 1, dtype=np.float32)
        turn = max(self.turn, 1)

        def begun(t: Floats) -> Floats:
            return np.where(t < turn, t * t / (2 * turn), t - self.turn / 2)

        last = self.stop - self.start - 1
        late = last - begun(self.half - at)
        return np.asarray(np.where(at < self.half / 2, begun(at), late), np.float32)


def forth_and_back(
    begin: int, stop: int, fps: float, seconds: float | None = None, most: int | None = None
) -> Forth:
    """All of a shot from frame ``begin`` to ``stop``, ``most`` frames of it; or as much as lasts
    ``seconds``, there and back. Raises UsageError where the shot is too short for that."""
    span = stop - begin if most is None else min(stop - begin, most)
    turn = min(2 * round(TURNS * fps / 2), 2 * ((span - 1) // 3))
    if seconds is not None:
        wanted = round(seconds * fps / 2) - turn + 1
        if wanted > span or wanted < 2:
            longest = 2 * (span - 1 + turn) / fps
            raise UsageError(
                f"Forth and back the clip lasts {2 * (1 + turn) / fps:.1f} to {longest:.1f} s,"
                f" not {seconds:g} s."
            )
        span = wanted
    return Forth(begin, begin + span, turn)


def frames_of(footage: Footage, forth: Forth, most: int) -> Iterator[Frame]:
    """The frames of the loop; ``most`` are held at a time, so that what is long is decoded several
    times on its way back."""
    places = forth.places
    yield from shown(footage.frames(forth.start, forth.stop), map(float, places))
    back = np.arange(1, forth.half)
    for few in np.array_split(back, -(-len(back) // most))[::-1]:
        first = int(places[few[0]])
        own = footage.frames(forth.start + first, forth.stop)
        yield from reversed(list(shown(own, (float(places[k]) - first for k in few))))
