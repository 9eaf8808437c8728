"""Motion as colour: hue is direction, saturation is speed.

The convention of Baker et al., "A database and evaluation methodology for optical flow"
(IJCV 2011), with an HSV wheel.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.field.motion_field import MotionField, speed
from vivant.field.operations import velocity_at

LEGEND = 64


def colourise(velocity: Floats, top: float | None = None) -> Frame:
    """``velocity`` ``[2, h, w]`` to colours ``[h, w, 3]``; ``top`` is the speed of full
    saturation, the fastest cell's where None. No motion is white."""
    size = np.linalg.norm(velocity, axis=0)
    top = float(size.max()) if top is None else top
    hue = (np.arctan2(velocity[1], velocity[0]) + np.pi) * (179 / (2 * np.pi))
    saturation = np.clip(size / max(top, 1e-9), 0, 1) * 255
    hsv = np.stack([hue, saturation, np.full_like(hue, 255)], axis=-1)
    return np.asarray(cv2.cvtColor((hsv + 0.5).astype(np.uint8), cv2.COLOR_HSV2RGB), np.uint8)


def heat(values: Floats, top: float | None = None) -> Frame:
    """A map ``[h, w]`` >= 0 as a heat picture ``[h, w, 3]``."""
    top = float(values.max()) if top is None else top
    levels = (np.clip(values / max(top, 1e-9), 0, 1) * 255).astype(np.uint8)
    return np.asarray(
        cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB), np.uint8
    )


def wheel_picture(field: MotionField, width: int = 640) -> Frame:
    """Mean motion with a legend, beside the speed map: ``[H, 2 * width, 3]``."""
    h, w = field.grid
    size = (width, round(width * h / w))
    motion = cv2.resize(colourise(field.velocity.mean(axis=0)), size, interpolation=cv2.INTER_CUBIC)
    _add_legend(motion)
    speeds = cv2.resize(heat(speed(field)), size, interpolation=cv2.INTER_CUBIC)
    return np.concatenate([motion, speeds], axis=1)


def preview(field: MotionField, width: int = 480, fps: float = 12.0) -> Iterator[Frame]:
    """The field over time as colour frames ``[H, width, 3]`` of even size."""
    h, w = field.grid
    size = (width, 2 * round(width * h / w / 2))
    top = float(np.percentile(np.linalg.norm(field.velocity, axis=1), 99.5))
    for k in range(max(1, round(field.seconds * fps))):
        frame = cv2.resize(
            colourise(velocity_at(field, k / fps), top), size, interpolation=cv2.INTER_CUBIC
        )
        yield np.asarray(frame, np.uint8)


def _add_legend(picture: Frame) -> None:
    y, x = np.mgrid[0:LEGEND, 0:LEGEND].astype(np.float32)
    arrows = (np.stack([x, y]) - np.float32((LEGEND - 1) / 2)) / np.float32(LEGEND / 2)
    inside = np.linalg.norm(arrows, axis=0) <= 1
    corner = picture[:LEGEND, :LEGEND]
    if corner.shape[:2] == inside.shape:
        corner[inside] = colourise(arrows, 1.0)[inside]
