"""Inertia: what a clip would be if its known frames' motion simply went on.

The flow from the last known frame back to the first is held where it is, and the last frame is
carried along it. A network that is shown this has only to say where it is wrong.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats

ERROR = 8.0
"""Levels of disagreement about the known frames at which the flow is trusted 1/e."""


def carried_on(
    known: NDArray[np.uint8], count: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The ``known`` frames ``[K, H, W, 3]`` going on to ``count`` of them, ``[count, H, W, 3]``;
    and how far that is trusted, ``[H, W]`` 0..1, by how well the flow (dense inverse search:
    Kroeger et al., 2016) explains the last known frame. One frame stands still, trusted 0."""
    steps, last = len(known) - 1, known[-1]
    ahead = count - len(known)
    if steps < 1:
        still = np.repeat(last[None], ahead, axis=0)
        return np.concatenate([known, still]), np.zeros(last.shape[:2], np.float32)
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    now, then = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (last, known[0]))
    back = np.asarray(search.calc(now, then, None), np.float32)
    error = cv2.absdiff(_fetched(known[0], back), last).astype(np.float32).mean(axis=2)
    trust = np.exp(-((cv2.GaussianBlur(error, (0, 0), 1.0) / ERROR) ** 2))
    rows = [_fetched(last, back * np.float32(k / steps)) for k in range(1, ahead + 1)]
    return np.stack([*known, *rows]), np.asarray(trust, np.float32)


def _fetched(frame: NDArray[np.uint8], flow: Floats) -> NDArray[np.uint8]:
    y, x = np.mgrid[: frame.shape[0], : frame.shape[1]].astype(np.float32)
    at = np.stack([x, y], axis=-1) + flow
    out = cv2.remap(frame, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8)
