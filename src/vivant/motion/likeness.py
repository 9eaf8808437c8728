"""Whether two pictures are the same sight: what a motion remembers of the picture it was made
for, so that it is not put on another one."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats, Frame

SIDE = 8
NEAR = 12.0
"""Levels in the mean up to which two thumbnails are of one picture."""
ALIKE = 0.85
"""Correlation of their light from which they are, whatever was done to the colours."""


def likeness(pixels: Frame) -> str:
    """A picture ``[H, W, 3]`` as a thumbnail of 8 x 8, in 384 hexadecimal digits."""
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8).tobytes().hex()


def alike(one: str, other: str) -> bool:
    """Whether two thumbnails show the same sight. Raises ValueError where one is damaged."""
    first, second = _read(one), _read(other)
    if np.abs(first - second).mean() < NEAR:
        return True
    light = [values.mean(axis=2).ravel() for values in (first, second)]
    return all(v.std() > 1 for v in light) and float(np.corrcoef(*light)[0, 1]) > ALIKE


def _read(text: str) -> Floats:
    content = np.frombuffer(bytes.fromhex(text), np.uint8)
    return content.reshape(SIDE, SIDE, 3).astype(np.float32)
