"""The samples of a mask's file as stored, upright: a mask has no colours to manage."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.clip import Floats
from vivant.errors import MediaError, VivantError
from vivant.media.read import FORMATS

LOSSY = ("JPEG", "MPO", "WEBP", "AVIF", "HEIF", "JPEG2000")
LABELS = 32
"""Grey values up to this one beside 0 are labels: as brightness they would apply at 1/8."""


@dataclass(frozen=True)
class Samples:
    """What a file stores, upright, before it is given a meaning.

    ``values`` is float32 0..255, ``[H, W]`` for grey and ``[H, W, 3]`` for colour; ``alpha``
    ``[H, W]`` 0..255 is None where it says nothing (it is the same everywhere); ``entries`` are
    the palette's numbers ``[H, W]`` uint8, if it has one.
    """

    values: Floats
    alpha: Floats | None = None
    entries: NDArray[np.uint8] | None = None
    lossy: bool = False
    notes: tuple[str, ...] = ()


def stored_samples(path: Path, size: tuple[int, int]) -> Samples | None:
    """The samples of a file that `read_picture` accepted.

    None where only the picture reader could decode it (damaged, or reduced to ``size``).
    """
    try:
        with warnings.catch_warnings(), Image.open(path, formats=FORMATS) as image:
            warnings.simplefilter("ignore")
            if image.width * image.height != size[0] * size[1]:
                return None
            image.load()
            samples = _samples(path, image)
            turn = int(image.getexif().get(0x0112, 1))
    except VivantError:
        raise
    except MemoryError as error:
        raise MediaError(f"{path} needs more memory than there is; make it smaller.") from error
    except Exception:
        return None
    return _upright(samples, turn)


def _samples(path: Path, image: Image.Image) -> Samples:
    lossy = image.format in LOSSY
    deep = _deep(path, image)
    if deep is not None:
        return _scaled(deep)
    if image.mode == "P":
        entries = np.asarray(image, np.uint8)
        return replace(_split(np.asarray(image.convert("RGBA"))), entries=entries, lossy=lossy)
    if image.mode == "1":
        image = image.convert("L")
    if "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBa"):
        image = image.convert("RGBA")
    elif image.mode not in ("L", "RGB", "RGBA"):
        image = image.convert("RGB")
    return replace(_split(np.asarray(image)), lossy=lossy)


def _deep(path: Path, image: Image.Image) -> NDArray[np.generic] | None:
    """Samples of more than 8 bits ``[H, W]`` or ``[H, W, C]`` (RGB order), None where it has 8."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return np.asarray(image)
    if image.format != "PNG" or path.read_bytes()[24:25] != b"\x10":
        return None
    values = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 3:
        return None
    order = cv2.COLOR_BGRA2RGBA if values.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(values, order))


def _scaled(deep: NDArray[np.generic]) -> Samples:
    """16 bits and floats to 0..255; numbers that only use 8 bits of 16 are taken as 8."""
    values = np.nan_to_num(deep.astype(np.float32), posinf=0, neginf=0)
    colour = values[..., :3] if values.ndim == 3 else values
    most = float(colour.max())
    if np.issubdtype(deep.dtype, np.floating):
        return _split(np.clip(values * (255 if most <= 1 else 1), 0, 255))
    if most > 255:
        return _split(np.clip(values / 257, 0, 255))
    notes = ("The mask has 16 bits but uses 8: 255 is read as white.",) if most > LABELS else ()
    if values.ndim == 3 and values.shape[2] == 4:
        values[..., 3] /= 257
    return replace(_split(np.clip(values, 0, 255)), notes=notes)


def _split(pixels: NDArray[np.generic]) -> Samples:
    values = pixels.astype(np.float32)
    if values.ndim == 2 or values.shape[2] == 3:
        return Samples(values)
    alpha = values[..., 3]
    silent = alpha.max() - alpha.min() <= 8 and alpha.max() > 0
    return Samples(np.ascontiguousarray(values[..., :3]), None if silent else alpha)


def _upright(samples: Samples, turn: int) -> Samples:
    """``samples`` brought upright from EXIF orientation ``turn`` (1..8)."""

    def turned(plane: NDArray[Any]) -> NDArray[Any]:
        plane = np.swapaxes(plane, 0, 1) if turn >= 5 else plane
        plane = plane[::-1] if turn in (3, 4, 7, 8) else plane
        return np.ascontiguousarray(plane[:, ::-1] if turn in (2, 3, 6, 7) else plane)

    if turn not in range(2, 9):
        return samples
    return replace(
        samples,
        values=turned(samples.values),
        alpha=None if samples.alpha is None else turned(samples.alpha),
        entries=None if samples.entries is None else turned(samples.entries),
    )
