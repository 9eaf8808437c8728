"""Light: the field's stops applied to a frame."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.field.motion_field import MotionField

LEAST_STOPS = 0.02
DISPLAY_GAMMA = 2.2


def has_light(field: MotionField) -> bool:
    """Whether the light changes enough to be seen anywhere."""
    return float(np.abs(field.light).max()) >= LEAST_STOPS


def apply_light(frame: Frame, stops: Floats) -> Frame:
    """Multiply ``frame`` ``[H, W, 3]`` by ``2^stops`` (``[h, w]``, cell grid) in linear light.

    The display curve is taken as a power of 2.2, so that the gain in linear light is a gain
    of ``2^(stops / 2.2)`` on the stored values.
    """
    height, width = frame.shape[:2]
    gain = np.exp2(cv2.GaussianBlur(stops, (0, 0), 1.0) / DISPLAY_GAMMA)
    full = cv2.resize(gain, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.multiply(frame, cv2.merge([full] * 3), dtype=cv2.CV_8U), np.uint8)
