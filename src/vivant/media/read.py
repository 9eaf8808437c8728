"""Files to pictures: one loader for every still format.

What comes out is always 8-bit sRGB, upright, full range. Sizes are checked from the header
before anything is decoded, and only formats on the list are ever tried.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from vivant.clip import Frame, Picture
from vivant.errors import MediaError, UsageError, VivantError
from vivant.files import sha256_of
from vivant.media.colourspace import to_srgb
from vivant.media.foreign import KNOWN, is_tiff, what_it_is
from vivant.media.icc import apply_profile
from vivant.media.raster import MAX_SOURCE_PIXELS, Raster, load, opened, upright
from vivant.media.stated import captured, stated_space

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "HEIF", "TIFF", "BMP", "JPEG2000")
MAX_PIXELS = 80_000_000
"""Pictures with more are reduced while they are read."""
MIN_SIDE = 16
MAX_BYTES = 512 << 20
MOST_MISSING = 0.5
"""A JPEG that was cut short may lack this share of its rows."""
WHITE = (255, 255, 255)
_DNG_VERSION = 0xC612


def read_picture(
    path: Path,
    *,
    background: tuple[int, int, int] = WHITE,
    max_pixels: int = MAX_PIXELS,
) -> Picture:
    """Read a still image as a `Picture`.

    EXIF orientation is applied; colours are converted to sRGB from what the file states (an ICC
    profile, or numbers: see `vivant.media.stated`), CMYK too; 16-bit values are scaled after
    that; transparency is laid over ``background`` (and kept in ``alpha``). A picture of over
    ``max_pixels`` is reduced 2, 4 or 8 times while it is decoded, and a JPEG that was cut short
    is taken with what it has. What a user should know of this is in ``notes``. Raises
    UsageError for a missing file or a folder, MediaError for anything that cannot be decoded, is
    too small or has over `MAX_SOURCE_PIXELS`.
    """
    _check_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decode(path, background, max_pixels)
    except VivantError:
        raise
    except (Exception, MemoryError) as error:
        raise MediaError(f"{path} cannot be decoded as a picture ({_reason(error)}).") from error


def _reason(error: BaseException) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text[:160]


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise UsageError(f"{path} is a folder; name a picture in it.")
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise UsageError(f"There is no file {path}.") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be opened ({_reason(error)}).") from error
    if size == 0:
        raise MediaError(f"{path} is empty (0 bytes).")
    if size > MAX_BYTES:
        raise MediaError(f"{path} is {size >> 20} MiB; pictures may have at most 512 MiB.")


def _decode(path: Path, background: tuple[int, int, int], max_pixels: int) -> Picture:
    pillow_heif.register_heif_opener()
    name = shown(path)
    notes: list[str] = []
    with _open(path) as image:
        factor = _check_size(path, image.size, max_pixels)
        _note_frames(name, image, notes)
        profile = image.info.get("icc_profile")
        raster = load(path, image, factor)
        pixels = _to_srgb(path, image, raster, profile, notes)
        date = captured(image)
    pixels = upright(pixels, raster.orientation)
    alpha = None if raster.alpha is None else upright(raster.alpha, raster.orientation)
    if alpha is not None and alpha.min() == 255:
        alpha = None
    if factor > 1:
        height, width = pixels.shape[:2]
        notes.append(f"{name} is large: it is read at 1/{factor} of its size, {width}x{height}.")
    if raster.missing > MOST_MISSING:
        raise MediaError(f"{path} was cut short: {raster.missing:.0%} of it are missing.")
    if raster.missing:
        notes.append(f"{name} was cut short: about {raster.missing:.1%} at its end are missing.")
    if alpha is not None:
        notes.append(f"{name} is partly transparent: it is laid over {_name(background)}.")
        pixels = _composite(pixels, alpha, background)
    return Picture(pixels, alpha, name, sha256_of(path), tuple(notes), date)


def shown(path: Path) -> str:
    """A file's name as text that can be printed and stored: what is no Unicode is replaced."""
    return path.name.encode("utf-8", "replace").decode("utf-8")


def _open(path: Path) -> Image.Image:
    kind = what_it_is(path)
    try:
        if kind:
            raise MediaError(f"{path} is {kind} (vivant reads {KNOWN}).")
        image = opened(path, FORMATS)
    except UnidentifiedImageError as error:
        if is_tiff(path):
            raise MediaError(
                f"{path} is a TIFF with numbers of a kind that is not read (such as floating"
                " point), or it is damaged; save it with 8 or 16 bits."
            ) from error
        raise MediaError(
            f"{path} is not a picture in a known format ({KNOWN}), or it is damaged."
        ) from error
    except Image.DecompressionBombError as error:
        raise _too_large(path) from error
    if _DNG_VERSION in getattr(image, "tag_v2", {}):
        image.close()
        raise MediaError(f"{path} is a camera's raw file; develop it to TIFF or JPEG first.")
    return image


def _too_large(path: Path) -> MediaError:
    return MediaError(
        f"{path} has too many pixels; at most {MAX_SOURCE_PIXELS // 1_000_000} megapixels are"
        " taken, make it smaller."
    )


def _check_size(path: Path, size: tuple[int, int], max_pixels: int) -> int:
    """How many times a picture must be reduced. Raises MediaError where none will do."""
    width, height = size
    if width * height > MAX_SOURCE_PIXELS:
        raise _too_large(path)
    if min(width, height) < MIN_SIDE:
        raise MediaError(f"{path} is {width}x{height}; at least {MIN_SIDE}x{MIN_SIDE} is needed.")
    if max(width, height) > 32 * min(width, height):
        raise MediaError(f"{path} is {width}x{height}; it is too narrow to animate.")
    return next((f for f in (1, 2, 4) if width * height <= max_pixels * f * f), 8)


def _note_frames(name: str, image: Image.Image, notes: list[str]) -> None:
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format == "TIFF":
        notes.append(f"{name} has {frames} pages: only the first is used.")
    elif frames > 1 and image.format != "MPO":
        notes.append(f"{name} is animated: only the first of its {frames} frames is used.")


def _to_srgb(
    path: Path, image: Image.Image, raster: Raster, profile: bytes | None, notes: list[str]
) -> Frame:
    """8-bit sRGB. What is stated but cannot be used is said and passed over."""
    if profile:
        try:
            return apply_profile(raster.values, raster.mode, profile)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            notes.append("The colour profile could not be used; colours are taken as sRGB.")
            return raster.as_srgb()
    if raster.mode not in ("L", "RGB"):
        return raster.as_srgb()
    try:
        space = stated_space(path, image)
    except (Exception, MemoryError) as error:  # whatever a strange file makes of it
        notes.append(f"The stated colours are taken as sRGB ({_reason(error)}).")
        return raster.as_srgb()
    if space is None:
        return raster.as_srgb()
    if space.hdr:
        notes.append(f"{shown(path)} is HDR ({space.hdr}): its highlights are compressed.")
    return to_srgb(raster.values, space)


def _composite(pixels: Frame, alpha: NDArray[np.uint8], background: tuple[int, int, int]) -> Frame:
    share = alpha[..., None].astype(np.float32) / 255
    mixed = pixels * share + np.array(background, np.float32) * (1 - share)
    return (mixed + 0.5).astype(np.uint8)


def _name(colour: tuple[int, int, int]) -> str:
    names = {(255, 255, 255): "white", (0, 0, 0): "black"}
    return names.get(colour, "#{:02x}{:02x}{:02x}".format(*colour))
