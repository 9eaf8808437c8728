"""When frames are shown: exact rates, and delays in whole ticks that add up to the duration."""

from __future__ import annotations

import itertools
from fractions import Fraction

from vivant.errors import MediaError

NTSC = (24, 30, 48, 60, 120, 240)
"""Rates that television plays 1000/1001 as fast; 23.976, 29.97 and so on are short for these."""
_CLOSE = 0.005
GIF_TICKS = 100
"""A second of GIF."""
GIF_LEAST = 2
"""Ticks a frame of GIF is shown at least: players take less for a tenth of a second."""


def exact_rate(fps: float) -> Fraction:
    """Frames per second as a fraction: 29.97 is 30000/1001, 0.2 is 1/5."""
    for whole in NTSC:
        rate = Fraction(whole * 1000, 1001)
        if fps != whole and abs(float(rate) - fps) < _CLOSE:
            return rate
    if fps < 1:
        return 1 / Fraction(1 / fps).limit_denominator(1001)
    return Fraction(fps).limit_denominator(1001)


def delays(count: int, fps: float, ticks: int) -> list[int]:
    """How many of ``ticks`` per second each of ``count`` frames is shown: whole numbers whose
    sums stay within half a tick of the exact times."""
    times = [round(index * ticks / exact_rate(fps)) for index in range(count + 1)]
    return [after - before for before, after in itertools.pairwise(times)]


def gif_frames(count: int, fps: float) -> list[tuple[int, int]]:
    """(index, delay in hundredths of a second) of the frames that a GIF shows.

    All of them up to 50 a second; above, so many that the duration stays. Raises MediaError
    where a frame is shown longer than the format can say (655 seconds).
    """
    rate = exact_rate(fps)
    if GIF_TICKS / rate >= GIF_LEAST:
        shown = list(enumerate(delays(count, fps, GIF_TICKS)))
    else:
        total = max(GIF_LEAST, round(count * GIF_TICKS / rate))
        kept = total // GIF_LEAST
        frames = [min(count - 1, round(n * GIF_LEAST * rate / GIF_TICKS)) for n in range(kept)]
        shown = [(index, GIF_LEAST) for index in frames]
        shown[-1] = (frames[-1], total - GIF_LEAST * (kept - 1))
    if max(delay for _, delay in shown) > 0xFFFF:
        raise MediaError("A GIF can show a frame for 655 seconds at most; choose a higher --fps.")
    return shown
