"""What was sampled, shown by the last known frame's own pixels.

A small model's frames are soft and fall into squares where things move; how things move is what it
says best. So its motion is read off, and what is known is carried along it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats

FINER = 2
"""Times the frames' size at which flow is sought: its search wants patches of 8 pixels."""
ERROR = 8.0
"""Levels of disagreement at which flow is trusted 1/e."""
AROUND = 2.0
"""Pixels over which flow is smoothed; where it is not trusted, it comes from around."""
LEAST_TRUST = 0.2
"""Mean trust around a place below which it moves the less."""
SOFT = 1.0
"""Pixels over which what is new is smoothed: its squares are not shown."""
WEAK = 10.0
"""Levels of what is new of which half is shown: less than that a small model merely guesses."""


def followed(last: NDArray[np.uint8], clip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The frames after the first of ``clip`` ``[T, H, W, 3]``, which begins with ``last``
    ``[H, W, 3]`` as the model shows it: ``last`` carried along the clip's motion (optical flow by
    dense inverse search: Kroeger et al., 2016), and what is strongly new, ``[T - 1, H, W, 3]``."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    start = _grey(clip[0])
    flow: Floats | None = None
    rows = []
    for frame in clip[1:]:
        flow = np.asarray(search.calc(_grey(frame), start, flow), np.float32)
        motion = _smooth(flow, clip[0], frame)
        new = frame.astype(np.float32) - _fetched(clip[0], motion)
        shown = _fetched(last, motion) + _strong(new)
        rows.append(np.clip(np.rint(shown), 0, 255).astype(np.uint8))
    return np.stack(rows) if rows else clip[1:]


def _smooth(flow: Floats, start: NDArray[np.uint8], frame: NDArray[np.uint8]) -> Floats:
    """``flow`` of the finer grid on that of the frames, pixels, from where it explains them."""
    size = (frame.shape[1], frame.shape[0])
    coarse = cv2.resize(flow, size, interpolation=cv2.INTER_AREA) / FINER
    error = np.abs(_fetched(start, coarse) - frame.astype(np.float32)).mean(axis=2)
    trust = np.exp(-((cv2.GaussianBlur(error, (0, 0), 1.0) / ERROR) ** 2))
    weighted = cv2.GaussianBlur(coarse * trust[..., None], (0, 0), AROUND)
    total = np.maximum(cv2.GaussianBlur(trust, (0, 0), AROUND), LEAST_TRUST)
    return np.asarray(weighted / total[..., None], np.float32)


def _strong(new: Floats) -> Floats:
    """What is ``new`` without its weak part (coring; Simoncelli and Adelson, 1996)."""
    broad = cv2.GaussianBlur(new, (0, 0), SOFT)
    power = cv2.GaussianBlur((broad * broad).mean(axis=2), (0, 0), AROUND)
    return np.asarray(broad * (power / (power + WEAK**2))[..., None], np.float32)


def _grey(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return np.asarray(
        cv2.resize(grey, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_CUBIC), np.uint8
    )


def _fetched(frame: NDArray[np.uint8], motion: Floats) -> Floats:
    """Mirrored beyond its edges, where nothing is known: a smear would be seen."""
    y, x = np.mgrid[: frame.shape[0], : frame.shape[1]].astype(np.float32)
    at = np.stack([x, y], axis=-1) + motion
    out = cv2.remap(
        frame.astype(np.float32), at, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(out, np.float32)
