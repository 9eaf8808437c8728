"""Animated pictures: GIF, WebP, AVIF and APNG, with the time that each frame is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageSequence

from vivant.clip import Frame

FORMATS = ("GIF", "WEBP", "AVIF", "PNG")
USUAL = 0.1
"""Seconds a frame is shown that states no time, as browsers do."""
LEAST = 0.001


def is_animation(path: Path) -> bool:
    """Whether a file begins as one of the `FORMATS` does, whatever its name; a folder does not."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(12)
    webp = head[:4] == b"RIFF" and head[8:] == b"WEBP"
    return head[:4] == b"GIF8" or webp or head[4:] == b"ftypavis" or head[:4] == b"\x89PNG"


def size_of(path: Path) -> tuple[int, int]:
    """(width, height), from the header."""
    with Image.open(path, formats=FORMATS) as image:
        return image.size


def animation_frames(path: Path) -> Iterator[tuple[Frame, float]]:
    """Frames ``[H, W, 3]``, what is transparent laid on white, and the seconds each is shown."""
    with Image.open(path, formats=FORMATS) as image:
        # a picture for programs that do not know APNG is no part of the animation
        apart = getattr(image, "default_image", False)
        for index, frame in enumerate(ImageSequence.Iterator(image)):
            if not (apart and index == 0):
                pixels = _opaque(frame)  # the time of a frame is known once it is decoded
                stated = float(frame.info.get("duration") or 0) / 1000
                yield pixels, stated if stated >= LEAST else USUAL


def _opaque(frame: Image.Image) -> Frame:
    if frame.has_transparency_data:
        frame = frame.convert("RGBA")
        frame = Image.alpha_composite(Image.new("RGBA", frame.size, "white"), frame)
    return np.asarray(frame.convert("RGB"), np.uint8)
