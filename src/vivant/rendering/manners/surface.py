"""The surface of water: a current, waves on top of it, or either alone.

Waves shift what the current has carried; their glint takes over, with equal variance, from a part
of the water's own detail, so that its contrast stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.rendering.manners.current import Carried, Current, sharpened
from vivant.rendering.manners.manner import Fetcher, Ground, Shown, enlarged, one_texture, rate_of
from vivant.rendering.manners.turns import set_in
from vivant.rendering.manners.waves import Ripples, Waves

SET_IN = 0.7
"""Seconds in which glints take over from the picture's own."""
TAKEN = 0.5
"""Glints are broader than the detail that they take over from: it gives way by so much less."""
DETAIL, AROUND = 25, 25
"""Contrast is that of what is finer than the short side divided by the first, over the second."""
MOST_GLINT = 70.0
"""Levels."""


@dataclass(frozen=True)
class Surface:
    """What moves on the water; None where it does not."""

    current: Current | None = None
    waves: Waves | None = None

    def scaled(self, factor: float) -> Surface:
        """The same water, so many times as rough; how fast it flows says its field."""
        return replace(self, waves=None if self.waves is None else self.waves.scaled(factor))


class SurfaceManner:
    """See `vivant.rendering.manners.manner.Manner`."""

    def __init__(self, ground: Ground, surface: Surface, rng: np.random.Generator) -> None:
        self.ground, self.surface = ground, surface
        self.fetcher = Fetcher(ground.texture)
        self.texture = self.fetcher.still
        self.ripples = None if surface.waves is None else Ripples(ground, surface.waves, rng)
        self.first = None if self.ripples is None else self.ripples.slopes(0.0)
        self.carried = None
        if surface.current is not None:
            self.carried = Carried(ground, surface.current, self.fetcher, rng)
        self.contrast, self.colour = contrast_of(ground)

    def at(self, seconds: float) -> Frame:
        """See `Manner`."""
        slopes, ripple = self._ripple(seconds)
        glint = 0.0 if self.surface.waves is None else self.surface.waves.glint
        glint *= set_in(seconds, SET_IN, self.ground.loop)
        keep = 1 - TAKEN * (1 - float(np.sqrt(max(0.0, 1 - glint**2))))
        out = self._moved(seconds, ripple, keep)
        if slopes is None or glint == 0:
            return out
        return self._glinting(out, slopes[..., 1] * np.float32(glint))

    def shown(self, seconds: float) -> Shown:
        """See `Manner`; glints are new light."""
        ripple = self._ripple(seconds)[1]
        if self.carried is None:
            none = np.zeros((4, 4, 2), np.float32)
            return one_texture(none if ripple is None else ripple, self.ground.shape, exact=False)
        return replace(self.carried.shown(seconds, ripple), exact=self.surface.waves is None)

    def flow(self, seconds: float) -> Floats:
        """See `Manner`."""
        carried = None if self.carried is None else self.carried.velocity
        if self.ripples is None:
            return np.zeros((4, 4, 2), np.float32) if carried is None else carried
        waves = rate_of(self._waved, seconds, self.ground.short)
        if carried is None:
            return waves
        return waves + enlarged(carried, (waves.shape[0], waves.shape[1]))

    def _waved(self, seconds: float) -> Floats:
        ripple = self._ripple(seconds)[1]
        return np.zeros((4, 4, 2), np.float32) if ripple is None else ripple

    def _moved(self, seconds: float, ripple: Floats | None, keep: float) -> Frame:
        if self.carried is not None:
            return self.carried.at(seconds, ripple, keep)
        look = self.texture if ripple is None else self.fetcher.at(ripple)
        if keep >= 1:
            return look
        return sharpened(look, np.full(self.ground.shape, keep, np.float32), self.ground)

    def _ripple(self, seconds: float) -> tuple[Floats | None, Floats | None]:
        """Slopes, and the shift in pixels since t = 0, both on the waves' nodes."""
        if self.ripples is None or self.first is None:
            return None, None
        slopes = self.ripples.slopes(seconds)
        return slopes, self.ripples.shift(slopes - self.first)

    def _glinting(self, look: Frame, slope: Floats) -> Frame:
        near = self.ripples.plane.near if self.ripples is not None else np.ones(1, np.float32)
        levels = slope * np.clip(near * 4, 0, 1)[:, None]
        wide = enlarged(np.asarray(levels, np.float32), self.ground.shape) * self.contrast
        grey = np.clip(wide, -MOST_GLINT, MOST_GLINT)
        each = [(grey * c).astype(np.int16) for c in self.colour]
        return np.asarray(cv2.add(look, cv2.merge(each), dtype=cv2.CV_8U), np.uint8)


def contrast_of(ground: Ground) -> tuple[Floats, tuple[float, float, float]]:
    """Local contrast ``[h, w]`` in levels of a layer's detail, and the colour that it varies
    along (the principal axis, mean 1)."""
    h, w = ground.shape
    half = max(4, round(h / 2)), max(4, round(w / 2))
    small, sure = (
        cv2.resize(values, half[::-1], interpolation=cv2.INTER_AREA)
        for values in (ground.texture, ground.sure)
    )
    tiny = tuple(max(2, round(side * DETAIL / ground.short)) for side in half[::-1])
    low = cv2.resize(small, tiny, interpolation=cv2.INTER_AREA)
    low = cv2.resize(low, half[::-1], interpolation=cv2.INTER_CUBIC)
    detail = (small.astype(np.float32) - low) * sure[..., None]
    nodes = max(4, h // 8), max(4, w // 8)
    squares, known = (cv2.resize(v, nodes[::-1], interpolation=cv2.INTER_AREA)
                      for v in ((detail**2).mean(2), sure))  # fmt: skip
    sigma = max(0.5, ground.short / AROUND / 8)
    blurred = [cv2.GaussianBlur(v, (0, 0), sigma) for v in (squares, known)]
    contrast = np.sqrt(blurred[0] / np.maximum(blurred[1], 1e-3))
    return enlarged(contrast.astype(np.float32), ground.shape), _axis(detail)


def _axis(detail: Floats) -> tuple[float, float, float]:
    flat = detail.reshape(-1, 3)
    flat = flat[:: max(1, len(flat) // 50_000)]
    _, vectors = np.linalg.eigh(flat.T @ flat)
    axis = np.abs(vectors[:, -1])
    red, green, blue = (float(v) for v in axis / max(float(axis.mean()), 1e-6))
    return red, green, blue
