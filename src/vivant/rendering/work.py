"""From the coarse motion field to velocities on the renderer's work grid.

The work grid is a reduced picture (short side 192). The field's speed is made to follow the
picture's edges there, so that water does not drag the rock beside it, and what hardly moves
is held, so that buildings are not jelly.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as kept

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.field.beyond import between, place_of, step_of
from vivant.field.motion_field import MotionField
from vivant.field.operations import smoothstep
from vivant.rendering.guided import guided_filter
from vivant.rendering.parameters import RENDERING, Rendering


@dataclass(frozen=True)
class WorkMotion:
    """Motion on the work grid ``hw x ww``.

    ``velocity`` ``[T, hw, ww, 2]`` work pixels per second; ``mean`` ``[hw, ww, 2]`` its mean
    over time; ``rate`` steps per second; ``loop_seconds`` as in the field.
    """

    velocity: Floats
    mean: Floats
    rate: float
    loop_seconds: float | None
    _recent: dict[int, Floats] = kept(default_factory=dict, repr=False, compare=False)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the work grid."""
        return self.velocity.shape[2], self.velocity.shape[1]

    @property
    def seconds(self) -> float:
        """Duration of the steps."""
        return len(self.velocity) / self.rate

    def at(self, seconds: float) -> Floats:
        """Velocity ``[hw, ww, 2]`` at a time, also beyond the steps."""
        first, share = place_of(seconds, self.rate)
        return between(self._step(first), self._step(first + 1), share)

    def _step(self, index: int) -> Floats:
        """A step of the endless sequence; the last few are kept, since times follow each other."""
        if index not in self._recent:
            for old in [k for k in self._recent if abs(k - index) > 1]:
                del self._recent[old]
            step = step_of(self.velocity, index, self.rate, self.loop_seconds)
            self._recent[index] = step
        return self._recent[index]


def work_size(width: int, height: int, rendering: Rendering = RENDERING) -> tuple[int, int]:
    """(width, height) of the work grid for a picture; never larger than the picture."""
    scale = min(1.0, rendering.work_short / min(width, height))
    return max(2, round(width * scale)), max(2, round(height * scale))


def to_work(field: MotionField, pixels: Frame, rendering: Rendering = RENDERING) -> WorkMotion:
    """Bring a field onto the work grid of the picture ``[H, W, 3]``."""
    height, width = pixels.shape[:2]
    size = work_size(width, height, rendering)
    gain = edge_gain(field, pixels, size, rendering)
    scale = np.float32(min(size))
    steps = [
        cv2.resize(np.ascontiguousarray(v.transpose(1, 2, 0)), size, interpolation=cv2.INTER_LINEAR)
        for v in field.velocity
    ]
    velocity = np.stack(steps) * (gain[..., None] * scale)
    mean = velocity.mean(axis=0)
    return WorkMotion(velocity.astype(np.float32), mean, field.rate, field.loop_seconds)


def edge_gain(
    field: MotionField, pixels: Frame, size: tuple[int, int], rendering: Rendering
) -> Floats:
    """Factor ``[hw, ww]`` by which upsampled velocities are multiplied.

    Guided speed over plain speed: under 1 where the picture's edges say that the place
    belongs to something that holds. Exactly 0 where the field is 0.
    """
    speed = np.linalg.norm(field.velocity, axis=1).mean(axis=0)
    top = float(np.percentile(speed, 97))
    if top <= 0:
        return np.zeros(size[::-1], np.float32)
    held = 1 - smoothstep(*rendering.still_hold, field.still)
    plain = cv2.resize(speed, size, interpolation=cv2.INTER_LINEAR)
    wanted = cv2.resize(speed * held, size, interpolation=cv2.INTER_LINEAR)
    guide = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    followed = guided_filter(guide, wanted, rendering.guide_radius, rendering.guide_epsilon)
    ratio = np.clip(followed, 0, None) / (plain + 0.001 * top)
    gain = np.where(plain > 0, np.clip(ratio, 0, rendering.follow_most), 0)
    return np.asarray(gain, np.float32)
