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

    def mean(a: Floats) -> Floats:
        return np.asarray(cv2.blur(a, (2 * radius + 1,) * 2, borderType=cv2.BORDER_REFLECT_101))

    centre = mean(guide)
    product = guide[..., :, None] * guide[..., None, :]
    spread = np.stack([mean(product[..., i]) for i in range(3)], axis=-1)
    covariance = spread - centre[..., :, None] * centre[..., None, :]
    covariance = covariance + epsilon * np.eye(3, dtype=np.float32)
    level = mean(values)
    cross = mean(guide * values[..., None]) - centre * level[..., None]
    slope = np.linalg.solve(covariance, cross[..., None])[..., 0].astype(np.float32)
    offset = level - (slope * centre).sum(axis=-1)
    return np.asarray((mean(slope) * guide).sum(axis=-1) + mean(offset), np.float32)
