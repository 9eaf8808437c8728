"""Decoded values at their own depth: what a file holds before anything is done to its colours."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms

from vivant.clip import Frame
from vivant.media.stated import exif_of

Values = NDArray[np.uint8] | NDArray[np.uint16]

MAX_SOURCE_PIXELS = 220_000_000
"""Pictures with more are refused: a file of a few kilobytes can state any size."""
_bounds = threading.Lock()
_DEEP_GREY = {"I", "I;16", "I;16B", "I;16L", "F"}
_END_OF_JPEG = b"\xff\xd9"
_SCALABLE = ("JPEG", "MPO")
_PLAINER = {"1": "L", "La": "LA", "PA": "RGBA", "RGBa": "RGBA"}
_TIFF_BITS, _TIFF_LAYOUT, _TIFF_RGB = 258, 262, 2
_PNG_GREY_ALPHA = 4
_TURNS = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True)
class Raster:
    """``values`` ``[H, W]`` or ``[H, W, C]`` of 8 or 16 bits in a Pillow ``mode`` without alpha
    (L, RGB, CMYK, LAB); ``alpha`` ``[H, W]`` uint8 or None; ``orientation`` as in EXIF, 1 where
    it is upright; ``missing`` the share of rows that a cut file lacks."""

    values: Values
    mode: str
    alpha: NDArray[np.uint8] | None = None
    orientation: int = 1
    missing: float = 0.0

    def as_srgb(self) -> Frame:
        """8-bit RGB ``[H, W, 3]`` without any conversion of colours but CMYK's and LAB's."""
        values = _eight(self.values) if self.values.dtype == np.uint16 else self.values
        if self.mode == "RGB":
            return np.asarray(values, np.uint8)
        if self.mode == "L":
            return np.asarray(cv2.cvtColor(values, cv2.COLOR_GRAY2RGB), np.uint8)
        image = Image.fromarray(values, self.mode)
        if self.mode == "LAB":
            spaces = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
            image = ImageCms.profileToProfile(image, *spaces, outputMode="RGB") or image
        return np.asarray(image.convert("RGB"), np.uint8)


def opened(source: Path | io.BytesIO, formats: tuple[str, ...]) -> Image.Image:
    """As Pillow opens it, without its bounds of 89 megapixels (a warning) and 179 (an error).

    Raises DecompressionBombError from twice `MAX_SOURCE_PIXELS` on; callers check the rest.
    """
    with _bounds:
        kept, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, MAX_SOURCE_PIXELS
        try:
            return Image.open(source, formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = kept


def load(path: Path, image: Image.Image, factor: int = 1) -> Raster:
    """Decode an open picture, reduced ``factor`` times (1, 2, 4 or 8) on the way.

    JPEG is decoded small at once; of the others no second copy at full size is made. Raises
    whatever the decoders raise.
    """
    orientation = exif_of(image).get(0x0112, 1)
    raster = _deep_grey(image) if image.mode in _DEEP_GREY else _deep_colour(path, image)
    if raster is not None:
        return _reduced(replace(raster, orientation=orientation), factor)
    image, missing = _loaded(path, image, factor)
    if image.format == "TIFF":  # Pillow has turned it by now
        orientation = exif_of(image).get(0x0112, 1)
    raster = _plain(image, 1 if image.format in _SCALABLE else factor)
    return replace(raster, orientation=orientation, missing=missing)


def _loaded(path: Path, image: Image.Image, factor: int) -> tuple[Image.Image, float]:
    """The picture decoded, and the share that is missing of a JPEG that was cut short."""
    _draft(image, factor)
    try:
        image.load()
    except OSError as error:
        if image.format != "JPEG" or "truncated" not in str(error):
            raise
    else:
        return image, 0.0
    whole = opened(io.BytesIO(path.read_bytes() + _END_OF_JPEG), ("JPEG",))
    _draft(whole, factor)
    whole.load()
    return whole, _missing(np.asarray(whole))


def _draft(image: Image.Image, factor: int) -> None:
    if factor > 1 and image.format in _SCALABLE:
        image.draft(image.mode, (image.width // factor, image.height // factor))


def _missing(values: NDArray[np.uint8]) -> float:
    """The share of rows at the lower edge that are of one colour: what the decoder did not get,
    of a part of a row one row."""
    rows = values.reshape(len(values), values.shape[1], -1)
    even = (rows == rows[-1, 0]).all(axis=(1, 2))[::-1]
    return 1.0 if even.all() else max(1, int(even.argmin())) / len(even)


def _plain(image: Image.Image, factor: int) -> Raster:
    """8 bits, through Pillow."""
    if "transparency" in image.info:
        image = image.convert("LA" if image.mode in ("L", "1") else "RGBA")
    if image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK", "LAB"):
        image = image.convert(_PLAINER.get(image.mode, "RGB"))
    if factor > 1:
        image = image.reduce(factor)
    alpha = None
    if image.mode in ("LA", "RGBA"):
        alpha = np.asarray(image.getchannel("A"), np.uint8)
        image = image.convert(image.mode[:-1])
    return Raster(np.asarray(image, np.uint8), image.mode, alpha)


def _deep_grey(image: Image.Image) -> Raster:
    """Grey of 16 bits (also of 32, and floats, by their largest value)."""
    values = np.asarray(image)
    if values.dtype.kind == "u":
        return Raster(values.astype(np.uint16, copy=False), "L")
    top = max(float(values.max()), 1e-9) if values.dtype.kind == "f" else 65535.0
    scaled = values.astype(np.float64) * (65535 / max(top, float(values.max())))
    return Raster(np.clip(scaled + 0.5, 0, 65535).astype(np.uint16), "L")


def _deep_colour(path: Path, image: Image.Image) -> Raster | None:
    """Colour of more than 8 bits, of which Pillow reads the high byte only; None for others."""
    if image.format == "HEIF" and image.info.get("bit_depth", 8) > 8:
        return _deep_heif(path)
    colour_type = 2
    if image.format == "PNG":
        depth, colour_type = _png_depth(path)
        deep = depth == 16
    else:
        bits = getattr(image, "tag_v2", {}).get(_TIFF_BITS, (8,))
        rgb = getattr(image, "tag_v2", {}).get(_TIFF_LAYOUT) == _TIFF_RGB
        deep = image.format == "TIFF" and rgb and max(bits) == 16
    values = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED) if deep else None
    if values is None or values.dtype != np.uint16 or values.ndim != 3:
        return None
    alpha = None if values.shape[2] == 3 else _eight(values[..., 3])
    if colour_type == _PNG_GREY_ALPHA:
        return Raster(np.ascontiguousarray(values[..., 0]), "L", alpha)
    return Raster(cv2.cvtColor(values[..., :3], cv2.COLOR_BGR2RGB), "RGB", alpha)


def _png_depth(path: Path) -> tuple[int, int]:
    """Bits per sample and colour type."""
    with path.open("rb") as stream:
        header = stream.read(26)
    return (header[24], header[25]) if len(header) == 26 else (8, 2)


def _deep_heif(path: Path) -> Raster:
    file = pillow_heif.open_heif(path, convert_hdr_to_8bit=False, bgr_mode=False)
    depth = file.info.get("bit_depth", 16)
    values = np.asarray(file)  # shifted to the upper bits
    top = ((1 << depth) - 1) << (16 - depth)
    values = np.clip(values * np.float32(65535 / top) + 0.5, 0, 65535).astype(np.uint16)
    if values.ndim == 2:
        return Raster(values, "L")
    alpha = None if values.shape[2] == 3 else _eight(values[..., 3])
    return Raster(np.ascontiguousarray(values[..., :3]), "RGB", alpha)


def _eight(values: Values) -> NDArray[np.uint8]:
    return (values.astype(np.float32) / 257 + 0.5).astype(np.uint8)


def _reduced(raster: Raster, factor: int) -> Raster:
    if factor == 1:
        return raster
    height, width = raster.values.shape[:2]
    size = (-(-width // factor), -(-height // factor))
    values = cv2.resize(raster.values, size, interpolation=cv2.INTER_AREA)
    alpha = raster.alpha
    if alpha is not None:
        alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.uint8)
    return replace(raster, values=values, alpha=alpha)


def upright(plane: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """``[H, W, ...]`` turned and mirrored as EXIF's ``orientation`` 1..8 asks."""
    if orientation in (5, 7):  # mirrored at a diagonal
        plane = cv2.flip(plane, 1)
        orientation = 8 if orientation == 5 else 6
    elif orientation in (2, 4):
        return np.asarray(cv2.flip(plane, 1 if orientation == 2 else 0), np.uint8)
    turn = _TURNS.get(orientation)
    return plane if turn is None else np.asarray(cv2.rotate(plane, turn), np.uint8)
