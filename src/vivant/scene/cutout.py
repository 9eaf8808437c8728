"""Cut-outs with alpha whose edges carry the thing's own colours, not those of what is behind."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Frame, Plane

PASSES = (90, 6)
"""Radius of each pass, in pixels, as its method has them."""


def cut_out(pixels: Frame, alpha: Plane) -> NDArray[np.uint8]:
    """Colours and alpha ``[H, W, 4]`` of what ``alpha`` ``[H, W]`` covers of ``pixels``.

    The colours are estimated by blurring foreground and background apart (Forte, "Approximate
    Fast Foreground Colour Estimation", ICIP 2021).
    """
    image = np.asarray(pixels / np.float32(255), np.float32)
    share = np.asarray(alpha / np.float32(255), np.float32)[..., None]
    front = back = image
    for radius in PASSES:
        front, back = _apart(image, front, back, share, radius)
    colours = np.where(share > 0.999, image, np.clip(front, 0, 1))
    return np.dstack([np.round(255 * colours).astype(np.uint8), alpha])


def _apart(
    image: NDArray[np.float32],
    front: NDArray[np.float32],
    back: NDArray[np.float32],
    share: NDArray[np.float32],
    radius: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    size = (radius, radius)

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        blurred = cv2.blur(values, size)
        return np.asarray(blurred if blurred.ndim == 3 else blurred[..., None], np.float32)

    weight = mean(share)
    ahead = mean(front * share) / (weight + 1e-5)
    behind = mean(back * (1 - share)) / (1 - weight + 1e-5)
    own = ahead + share * (image - share * ahead - (1 - share) * behind)
    return np.clip(own, 0, 1).astype(np.float32), np.clip(behind, 0, 1).astype(np.float32)
