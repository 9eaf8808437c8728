"""Edge-aware filtering: a coarse map is made to follow the edges of the picture.

The guided filter of He, Sun and Tang (ECCV 2010) with a colour guide.
"""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats


def guided_filter(guide: Floats, values: Floats, radius: int, epsilon: float) -> Floats:
    """Filter ``values`` ``[h, w]`` so that it keeps to the edges of ``guide`` ``[h, w, 3]``.

    ``guide`` is in 0..1; ``epsilon`` is the variance under which the guide counts as flat.
    """
    return Guide(guide, radius, epsilon).filtered(values)


class Guide:
    """A guide ``[h, w, 3]`` in 0..1, ready to filter many maps."""

    def __init__(self, guide: Floats, radius: int, epsilon: float) -> None:
        self.guide, self.size = guide, (2 * radius + 1,) * 2
        self.centre = self._mean(guide)
        product = guide[..., :, None] * guide[..., None, :]
        spread = np.stack([self._mean(product[..., i]) for i in range(3)], axis=-1)
        covariance = spread - self.centre[..., :, None] * self.centre[..., None, :]
        inverse = np.linalg.inv(covariance + epsilon * np.eye(3, dtype=np.float32))
        self.inverse = inverse.astype(np.float32)

    def filtered(self, values: Floats) -> Floats:
        """``values`` ``[h, w]``, keeping to the guide's edges."""
        level = self._mean(values)
        cross = self._mean(self.guide * values[..., None]) - self.centre * level[..., None]
        slope = (self.inverse @ cross[..., None])[..., 0]
        offset = level - (slope * self.centre).sum(axis=-1)
        out = (self._mean(slope) * self.guide).sum(axis=-1) + self._mean(offset)
        return np.asarray(out, np.float32)

    def _mean(self, values: Floats) -> Floats:
        return np.asarray(cv2.blur(values, self.size, borderType=cv2.BORDER_REFLECT_101))
