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
from vivant.rendering.explained import determinant, fetched, flow_to_first, inside, levels

FINE = 320
"""Pixels of the short side of the flow that carries detail: on five training clips 0.2 to 1.2 dB
nearer than 160, and the first step no longer than a true one."""
AROUND = 2.5
"""Pixels of the clip over which its finest detail is compared."""
WEAK = 0.3
"""Power of detail, square levels, that tells nothing."""
CODING = 1.5
"""Levels of what is new in a frame at which half of it is taken for noise of its coding."""
OPEN = 1.5
"""Frames after which the gate is all but closed to what is not found again. Detail that goes at
once is a jump: 2.8 times the real change where hardly anything moves."""
LEAST_DETERMINANT = 0.35
"""Where the flow squeezes the picture's area below this share, detail fades out."""


def carry(
    picture: Frame, clip: Iterable[Frame], *, gated: bool = False, fade: float = math.inf
) -> Iterator[Frame]:
    """The frames of ``clip`` at the size of ``picture`` ``[H, W, 3]``, the first equal to it.

    The clip may be smaller and of another colour, its aspect is the picture's. ``gated`` trusts
    the fine part of the difference only where the flow explains the frame, in the first frames
    elsewhere, too: for clips far softer than the picture. Without it the whole difference is
    carried, which jumps least. ``fade`` frames after which a gated fine part counts for 1/e, at
    first hardly less: no jump.
    """
    first: Frame | None = None
    flow: Floats | None = None
    rest = coarse = start = np.zeros(0, np.float32)
    for index, frame in enumerate(clip):
        if first is None:
            first = frame
            start = _sized(frame, picture)
            rest = picture.astype(np.float32) - start
            coarse = cv2.GaussianBlur(rest, (0, 0), max(2.0, min(picture.shape[:2]) / 40))
            yield picture.copy()
            continue
        flow = flow_to_first(first, frame, flow, FINE)
        gate = _gate(first, frame, flow, index) if gated else None
        if gate is not None:
            gate *= math.exp(-((index / fade) ** 2))
        moved = fetched(start, flow)
        new = _cored(_sized(frame, picture) - moved)
        yield levels(moved + new + _moved_rest(rest, coarse, flow, gate))


def _cored(new: Floats) -> Floats:
    """What a frame ``[H, W, 3]`` shows that the first did not, without what is as weak as the noise
    of its coding: that would flicker around the picture (coring; Simoncelli and Adelson, 1996)."""
    power = cv2.blur((new * new).mean(axis=2), (7, 7))
    return np.asarray(new * (power / (power + CODING * CODING))[..., None], np.float32)


def _moved_rest(rest: Floats, coarse: Floats, flow: Floats, gate: Floats | None) -> Floats:
    size = (rest.shape[1], rest.shape[0])
    moved = fetched(rest, flow)
    if gate is None:
        return moved
    large = cv2.resize(gate, size, interpolation=cv2.INTER_LINEAR)
    broad = fetched(coarse, flow)
    return np.asarray(broad + large[..., None] * (moved - broad), np.float32)


def _gate(first: Frame, frame: Frame, flow: Floats, index: int) -> Floats:
    """How far detail is trusted in frame ``index``, 0 to 1, on the grid of ``flow``: as far as the
    finest detail that the clip itself has is found again where the flow says (local correlation,
    which colours that drift do not change), inside the picture, less where it is squeezed. It
    closes over the first frames."""
    then, now = (cv2.cvtColor(one, cv2.COLOR_RGB2GRAY).astype(np.float32) for one in (first, frame))
    then, now = _finest(fetched(then, flow)), _finest(now)
    power = (_around(then * then) + WEAK) * (_around(now * now) + WEAK)
    alike = np.clip(_around(then * now) / np.sqrt(power), 0, 1)
    size = (flow.shape[1], flow.shape[0])
    trusted = cv2.resize(alike, size, interpolation=cv2.INTER_AREA)
    squeezed = np.clip(determinant(flow) / LEAST_DETERMINANT, 0, 1)
    closed = 1 - math.exp(-((index / OPEN) ** 2))
    return np.asarray(1 - (1 - trusted * inside(flow) * squeezed) * closed, np.float32)


def _finest(light: Floats) -> Floats:
    return np.asarray(light - cv2.GaussianBlur(light, (0, 0), 1.0), np.float32)


def _around(values: Floats) -> Floats:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), AROUND), np.float32)


def _sized(frame: Frame, picture: Frame) -> Floats:
    size = (picture.shape[1], picture.shape[0])
    if frame.shape == picture.shape:
        return frame.astype(np.float32)
    return cv2.resize(frame.astype(np.float32), size, interpolation=cv2.INTER_LANCZOS4)
