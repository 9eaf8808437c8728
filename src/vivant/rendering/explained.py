"""Where a later frame's pixels were in the first, and how far that holds.

Flow is Dense Inverse Search (Kroeger et al., 2016) on small grey frames.
"""

from __future__ import annotations

import cv2
import numpy as np

from vivant.clip import Floats, Frame

SHORT = 160
"""Pixels of the short side on which colours are compared and flow is sought for them."""


def flow_to_first(
    first: Frame, frame: Frame, before: Floats | None = None, short: int = SHORT
) -> Floats:
    """``[h, w, 2]``: where each pixel of ``frame`` was in ``first``, less where it is, as shares
    of width and height, on a grid of ``short`` side. ``before`` is the last frame's answer, from
    which the search starts."""
    scale = np.array(small_size(first, short), np.float32)
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    start = None if before is None else before * scale
    flow = search.calc(_grey(frame, short), _grey(first, short), start)
    return np.asarray(flow / scale, np.float32)


def fetched(values: Floats, flow: Floats) -> Floats:
    """``values`` ``[H, W, C]`` of the first frame, where ``flow`` sees them."""
    h, w = values.shape[:2]
    full = flow if flow.shape[:2] == (h, w) else cv2.resize(flow, (w, h))
    return np.asarray(
        cv2.remap(values, _places(full), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )


def inside(flow: Floats) -> Floats:
    """1 where the flow ends within the first frame, else 0."""
    h, w = flow.shape[:2]
    places = _places(flow)
    x, y = places[..., 0], places[..., 1]
    return np.asarray((x >= 0) & (x <= w - 1) & (y >= 0) & (y <= h - 1), np.float32)


def determinant(flow: Floats) -> Floats:
    """Area in the first frame over that in the later one; 0 and below where it folds."""
    h, w = flow.shape[:2]
    xy, xx = np.gradient(flow[..., 0] * w)
    yy, yx = np.gradient(flow[..., 1] * h)
    return np.asarray((1 + xx) * (1 + yy) - xy * yx, np.float32)


def small_size(frame: Frame, short: int = SHORT) -> tuple[int, int]:
    """(width, height) of a frame whose short side is at most ``short`` pixels."""
    h, w = frame.shape[:2]
    scale = min(1.0, short / min(h, w))
    return max(16, round(w * scale)), max(16, round(h * scale))


def levels(values: Floats) -> Frame:
    """Rounded, 0 to 255."""
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def _places(flow: Floats) -> Floats:
    h, w = flow.shape[:2]
    y, x = np.mgrid[:h, :w]
    return np.asarray(np.stack([x + flow[..., 0] * w, y + flow[..., 1] * h], -1), np.float32)


def _grey(frame: Frame, short: int) -> Frame:
    """Small, grey, and of one mean and deviation, so that light is not taken for motion."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, small_size(frame, short), interpolation=cv2.INTER_AREA).astype(
        np.float32
    )
    return levels(128 + (grey - grey.mean()) * (48 / max(float(grey.std()), 1.0)))
