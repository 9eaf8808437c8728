"""Light: the field's stops applied to a frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.field.motion_field import MotionField
from vivant.rendering.parameters import RENDERING, Rendering


def has_light(field: MotionField, rendering: Rendering = RENDERING) -> bool:
    """Whether the light changes enough to be seen anywhere."""
    return float(np.abs(field.light).max()) >= rendering.least_stops


def apply_light(
    frame: Frame,
    stops: Floats,
    *,
    affine: Floats | None = None,
    held: NDArray[np.bool_] | None = None,
    rendering: Rendering = RENDERING,
) -> Frame:
    """Multiply ``frame`` ``[H, W, 3]`` by ``2^stops`` (``[h, w]``, cell grid) in linear light.

    The light belongs to the scene: ``affine`` ``[2, 3]`` leads from pixels of the frame to those
    of the scene, and ``held`` ``[H, W]`` says where in the scene it does not change. The display
    curve is taken as a power of 2.2, so that the gain in linear light is a gain of
    ``2^(stops / 2.2)`` on the stored values.
    """
    size = (frame.shape[1], frame.shape[0])
    smooth = cv2.GaussianBlur(stops, (0, 0), rendering.light_blur)
    gain = np.exp2(smooth / rendering.display_gamma)
    full = cv2.resize(gain, size, interpolation=cv2.INTER_LINEAR)
    if held is not None:
        full[held] = 1
    if affine is not None:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        full = cv2.warpAffine(full, affine, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(
        cv2.multiply(frame, cv2.cvtColor(full, cv2.COLOR_GRAY2RGB), dtype=cv2.CV_8U), np.uint8
    )
