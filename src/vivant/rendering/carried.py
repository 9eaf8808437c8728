"""A soft clip of a picture made exact: the picture's own pixels carried along by flow.

What a video model returns for a picture starts near it, not at it: softer, of another colour, often
smaller. `carry` adds the difference between picture and first frame to every frame, where the flow
has moved it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from vivant.clip import Floats, Frame
from vivant.rendering.explained import fetched, flow_to_first, levels, trusted


def carry(
    picture: Frame, clip: Iterable[Frame], *, gated: bool = False, fade: float = math.inf
) -> Iterator[Frame]:
    """The frames of ``clip`` at the size of ``picture`` ``[H, W, 3]``, the first equal to it.

    The clip may be smaller and of another colour, its aspect is the picture's. ``gated`` trusts
    the fine part of the difference only where the flow explains the frame: for clips far softer
    than the picture. Without it the whole difference is carried, which jumps least. ``fade``
    frames after which a gated fine part counts for 1/e, at first hardly less: no jump.
    """
    first: Frame | None = None
    flow: Floats | None = None
    rest = coarse = np.zeros(0, np.float32)
    for index, frame in enumerate(clip):
        if first is None:
            first = frame
            rest = picture.astype(np.float32) - _sized(frame, picture)
            coarse = cv2.GaussianBlur(rest, (0, 0), max(2.0, min(picture.shape[:2]) / 40))
            yield picture.copy()
            continue
        flow = flow_to_first(first, frame, flow)
        gate = trusted(first, frame, flow) * math.exp(-((index / fade) ** 2)) if gated else None
        yield levels(_sized(frame, picture) + _moved_rest(rest, coarse, flow, gate))


def _moved_rest(rest: Floats, coarse: Floats, flow: Floats, gate: Floats | None) -> Floats:
    size = (rest.shape[1], rest.shape[0])
    moved = fetched(rest, flow)
    if gate is None:
        return moved
    large = cv2.resize(gate, size, interpolation=cv2.INTER_LINEAR)
    broad = fetched(coarse, flow)
    return np.asarray(broad + large[..., None] * (moved - broad), np.float32)


def _sized(frame: Frame, picture: Frame) -> Floats:
    size = (picture.shape[1], picture.shape[0])
    if frame.shape == picture.shape:
        return frame.astype(np.float32)
    return cv2.resize(frame.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
