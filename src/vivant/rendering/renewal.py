"""When drifting textures begin anew, place by place.

Textures are numbered. Number 0 is the picture at the first frame; number n begins anew at the
picture at ``n * interval`` seconds and takes over from number n - 1 in the course of ``takeover``
seconds, beginning up to ``stagger`` seconds later, at a time that differs smoothly from place to
place: nothing happens everywhere at once. In a loop the last texture is the picture at the end of
the loop, seen before its time, so that the loop closes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vivant.clip import Floats
from vivant.field.operations import smoothstep
from vivant.rendering.parameters import Rendering

STAGGER_SEED = 2026


@dataclass(frozen=True)
class Renewal:
    """``lag`` ``[hw, ww]`` 0..1 by place; times in seconds; ``last`` is the number of the texture
    that closes a loop of ``last + 1`` intervals, None where there is no end."""

    interval: float
    takeover: float
    stagger: float
    lag: Floats
    last: int | None

    def anchor(self, number: int) -> float:
        """When texture ``number`` shows the picture itself."""
        return (number + (number == self.last)) * self.interval

    def begins(self, number: int) -> Floats:
        """When it begins to take over, by place, ``[hw, ww]``."""
        stagger = self.stagger
        if self.last is not None:
            # the closing texture has taken over everywhere at the end, and each before it in time
            room = (self.interval - self.takeover) * (self.last - number + 1)
            stagger = min(stagger, room)
        return np.asarray(number * self.interval + stagger * self.lag, np.float32)

    def weight(self, number: int, seconds: float) -> Floats:
        """How far it has taken over, ``[hw, ww]`` 0..1."""
        if number == 0:
            return np.ones_like(self.lag)
        return smoothstep(0.0, self.takeover, np.float32(seconds) - self.begins(number))

    def wanted(self, number: int, seconds: float) -> bool:
        """Whether the texture may be seen anywhere at a time, now or later."""
        follows = self.last is None or number < self.last
        return not follows or float(self.weight(number + 1, seconds).min()) < 1


def renewal(size: tuple[int, int], seconds: float, loop: bool, rendering: Rendering) -> Renewal:
    """The renewal of a clip on a work grid of ``size`` (width, height)."""
    interval, last = rendering.renewal_seconds, None
    if loop:
        last = max(1, round(seconds / interval) - 1)
        interval = seconds / (last + 1)
    return Renewal(
        interval,
        rendering.renewal_takeover * interval,
        rendering.renewal_stagger * interval,
        _lag(size, rendering.stagger_scale),
        last,
    )


def _lag(size: tuple[int, int], scale: float) -> Floats:
    """Smooth noise with an even distribution over 0..1, the same in every picture."""
    width, height = size
    cells = [max(2, round(side / (scale * min(size)))) for side in (height, width)]
    noise = np.random.Generator(np.random.PCG64(STAGGER_SEED)).random(cells, np.float32)
    smooth = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    ranks = np.empty(smooth.size, np.float32)
    ranks[np.argsort(smooth, axis=None, kind="stable")] = np.linspace(0, 1, smooth.size)
    return ranks.reshape(height, width)
