"""What moves behind what holds: the moving picture is continued behind the held part, so that
nothing of it is ever dragged along.

``out(t) = I + R(t) - R(0)``, where R is rendered from the continued picture; what is held is I
itself, to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np

from vivant.clip import Frame, Plane
from vivant.rendering.plates import continued

UNSURE = 2
"""Pixels beside the held part whose colours are mixed with it."""
HELD = 127


def uncovered(pixels: Frame, held: Plane) -> Frame:
    """The picture ``[H, W, 3]`` with ``held`` ``[H, W]`` (and a rim of mixed colours) filled from
    the sure rest. A picture that is held throughout stays as it is."""
    kernel = np.ones((2 * UNSURE + 1,) * 2, np.uint8)
    return continued(pixels, (cv2.dilate(held, kernel) <= HELD).astype(np.float32))


def in_place(
    pixels: Frame, held: Plane, render: Callable[[Frame], Iterator[Frame]]
) -> Iterator[Frame]:
    """Frames of ``pixels`` ``[H, W, 3]`` in which ``held`` ``[H, W]`` (255 = holds) never changes;
    ``render`` gives the frames of a picture, the picture itself first."""
    behind = uncovered(pixels, held)
    offset = cv2.subtract(pixels, behind, dtype=cv2.CV_16S)
    stays = held > HELD
    for index, frame in enumerate(render(behind)):
        if index == 0:
            yield pixels.copy()
            continue
        out = np.asarray(cv2.add(frame, offset, dtype=cv2.CV_8U), np.uint8)
        np.copyto(out, pixels, where=stays[..., None])
        yield out
