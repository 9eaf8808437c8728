"""Pictures brought to the size of the frames, never stretched."""

from __future__ import annotations

import re
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Picture
from vivant.errors import UsageError

MAX_SIDE = 8192


def parse_size(text: str, source: tuple[int, int], longest: int = MAX_SIDE) -> tuple[int, int]:
    """``"1280x720"``, ``"720p"`` (short side 720, the picture's aspect, even) or ``"source"``.

    ``source`` is the picture's (width, height). The short side gives way where the long one
    would be over ``longest``. Raises UsageError showing right examples.
    """
    if text == "source":
        return source
    if match := re.fullmatch(r"(\d{2,5})p", text):
        short = int(match[1])
        scale = min(short / min(source), max(longest, short) / max(source))
        size = tuple(max(2, 2 * round(side * scale / 2)) for side in source)
    elif match := re.fullmatch(r"(\d{2,5})[xX](\d{2,5})", text):
        size = (int(match[1]), int(match[2]))
    else:
        raise UsageError(f"The size {text!r} is not understood; write 1280x720, 720p or source.")
    if min(size) < 16 or max(size) > MAX_SIDE:
        raise UsageError(
            f"The size {size[0]}x{size[1]} is out of range; sides are 16 to {MAX_SIDE}."
        )
    return size[0], size[1]


def fit(picture: Picture, size: tuple[int, int]) -> Picture:
    """The picture at ``size`` (width, height): scaled to cover it, then cut at the centre.

    The same object where nothing changes.
    """
    if picture.size == size:
        return picture
    alpha = None if picture.alpha is None else fit_plane(picture.alpha, size)
    return replace(picture, pixels=fit_plane(picture.pixels, size), alpha=alpha)


def fit_plane(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Any uint8 image ``[H, W, ...]`` scaled and cut like the picture it belongs to."""
    height, width = pixels.shape[:2]
    if (width, height) == size:
        return pixels
    if 0 <= width - size[0] <= 1 and 0 <= height - size[1] <= 1:
        return np.ascontiguousarray(pixels[: size[1], : size[0]])  # made even, not resampled
    wide, high = covering((width, height), size)
    scale = max(size[0] / width, size[1] / height)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LANCZOS4
    scaled = cv2.resize(pixels, (wide, high), interpolation=method)
    left, top = (wide - size[0]) // 2, (high - size[1]) // 2
    return np.ascontiguousarray(scaled[top : top + size[1], left : left + size[0]])


def covering(source: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """The (width, height) to which a picture of size ``source`` is scaled before what goes beyond
    ``size`` is cut."""
    scale = max(size[0] / source[0], size[1] / source[1])
    wide, high = (max(t, round(s * scale)) for t, s in zip(size, source, strict=True))
    return wide, high


def cut_share(source: tuple[int, int], target: tuple[int, int]) -> float:
    """Share of a picture of size ``source`` that is cut away to get the aspect of ``target``."""
    a, b = source[0] / source[1], target[0] / target[1]
    return 1 - min(a, b) / max(a, b)
