"""What moves behind what holds: the moving picture is continued behind the held part, so that
nothing of it is ever dragged along.

``out(t) = I + R(t) - R(0)``, where R is rendered from the continued picture; what is held is I
itself, to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np

from vivant.clip import Floats, Frame, Plane

UNSURE = 2
"""Pixels beside the held part whose colours are mixed with it."""
HELD = 127


def continued(pixels: Frame, held: Plane) -> Frame:
    """The picture ``[H, W, 3]`` with ``held`` ``[H, W]`` (and a rim of mixed colours) filled from
    the sure rest, by push and pull over a pyramid (Gortler et al., "The Lumigraph", 1996).

    A picture that is held throughout stays as it is.
    """
    kernel = np.ones((2 * UNSURE + 1,) * 2, np.uint8)
    sure = (cv2.dilate(held, kernel) <= HELD).astype(np.float32)
    if not sure.any():
        return pixels
    filled = _filled(pixels.astype(np.float32) * sure[..., None], sure)
    mixed = np.where(sure[..., None] > 0, pixels, np.clip(np.round(filled), 0, 255))
    return np.asarray(mixed, np.uint8)


def _filled(colours: Floats, weight: Floats) -> Floats:
    """Colours (times weight) made whole, coarse to fine."""
    if min(weight.shape) <= 2:
        total = max(float(weight.sum()), 1e-6)
        return np.broadcast_to(colours.sum((0, 1)) / total, colours.shape).astype(np.float32)
    coarse = _filled(*(cv2.pyrDown(values) for values in (colours, weight)))
    wide = cv2.pyrUp(coarse, dstsize=weight.shape[::-1])
    share = np.clip(weight, 0, 1)[..., None]
    own = colours / np.maximum(weight, 1e-6)[..., None]
    return np.asarray(own * share + wide * (1 - share), np.float32)


def in_place(
    pixels: Frame, held: Plane, render: Callable[[Frame], Iterator[Frame]]
) -> Iterator[Frame]:
    """Frames of ``pixels`` ``[H, W, 3]`` in which ``held`` ``[H, W]`` (255 = holds) never changes;
    ``render`` gives the frames of a picture, the picture itself first."""
    behind = continued(pixels, held)
    offset = cv2.subtract(pixels, behind, dtype=cv2.CV_16S)
    stays = held > HELD
    for index, frame in enumerate(render(behind)):
        if index == 0:
            yield pixels.copy()
            continue
        out = np.asarray(cv2.add(frame, offset, dtype=cv2.CV_8U), np.uint8)
        np.copyto(out, pixels, where=stays[..., None])
        yield out
