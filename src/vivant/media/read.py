"""Files to pictures: one loader for every still format.

What comes out is always 8-bit sRGB, upright, full range. Sizes are checked from the header
before anything is decoded, and only formats on the list are ever tried.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from vivant.clip import Frame, Picture
from vivant.errors import MediaError, UsageError, VivantError
from vivant.files import sha256_of

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "HEIF")
MAX_PIXELS = 80_000_000
MIN_SIDE = 16
MAX_BYTES = 512 << 20
WHITE = (255, 255, 255)
_DEEP_MODES = {"I", "I;16", "I;16B", "I;16L", "F"}


def read_picture(
    path: Path,
    *,
    background: tuple[int, int, int] = WHITE,
    max_pixels: int = MAX_PIXELS,
    allow_tiff: bool = False,
) -> Picture:
    """Read a still image as a `Picture`.

    EXIF orientation is applied, ICC profiles and CMYK are converted to sRGB, 16-bit values
    are scaled, transparency is laid over ``background`` (and kept in ``alpha``). What a user
    should know of this is in ``notes``. Raises UsageError for a missing file or a folder,
    MediaError for anything that cannot be decoded, is too small or has over ``max_pixels``.
    """
    _check_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pixels, alpha, notes = _decode(path, background, max_pixels, allow_tiff)
    except VivantError:
        raise
    except (Exception, MemoryError) as error:
        raise MediaError(f"{path} cannot be decoded as a picture ({_reason(error)}).") from error
    return Picture(pixels, alpha, path.name, sha256_of(path), tuple(notes))


def read_mask(path: Path, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Read a mask ``[H, W]`` uint8, white = applies; colours are taken as their brightness."""
    picture = read_picture(path, background=(0, 0, 0), max_pixels=max_pixels)
    return np.asarray(cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY), np.uint8)


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


def _decode(
    path: Path, background: tuple[int, int, int], max_pixels: int, allow_tiff: bool
) -> tuple[Frame, NDArray[np.uint8] | None, list[str]]:
    pillow_heif.register_heif_opener()
    allowed = [*FORMATS, "TIFF"] if allow_tiff else list(FORMATS)
    notes: list[str] = []
    with _open(path, allowed) as image:
        _check_size(path, image.size, max_pixels)
        frames = getattr(image, "n_frames", 1)
        if frames > 1 and image.format != "MPO":
            notes.append(f"{path.name} is animated: only the first of its {frames} frames is used.")
        image.load()
        profile = image.info.get("icc_profile")
        deep = _deep_pixels(path, image)
        upright = ImageOps.exif_transpose(image)
        if deep is not None:
            upright = ImageOps.exif_transpose(_with_exif(deep, image))
        converted = _to_srgb(upright, profile, notes)
    alpha = None
    if "A" in converted.getbands():
        alpha = np.asarray(converted.getchannel("A"), np.uint8)
        if alpha.min() == 255:
            alpha = None
        else:
            notes.append(f"{path.name} is partly transparent: it is laid over {_name(background)}.")
    return _composite(converted, alpha, background), alpha, notes


def _open(path: Path, allowed: list[str]) -> Image.Image:
    try:
        return Image.open(path, formats=allowed)
    except UnidentifiedImageError as error:
        known = "JPEG, PNG, WebP, AVIF, HEIC, GIF"
        raise MediaError(f"{path} is not a picture in a known format ({known}).") from error
    except Image.DecompressionBombError as error:
        raise MediaError(f"{path} has too many pixels; make it smaller.") from error


def _check_size(path: Path, size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise MediaError(
            f"{path} is {width}x{height}; at most {max_pixels // 1_000_000} megapixels are taken,"
            " make it smaller."
        )
    if min(width, height) < MIN_SIDE:
        raise MediaError(f"{path} is {width}x{height}; at least {MIN_SIDE}x{MIN_SIDE} is needed.")
    if max(width, height) > 32 * min(width, height):
        raise MediaError(f"{path} is {width}x{height}; it is too narrow to animate.")


def _deep_pixels(path: Path, image: Image.Image) -> Image.Image | None:
    """The picture scaled from 16 to 8 bits, None where it has 8.

    Pillow clips 16-bit grey to white and reads the high byte only of 16-bit colour.
    """
    if image.mode in _DEEP_MODES:
        values = np.asarray(image).astype(np.float64)
        top = 65535.0 if image.mode != "F" else max(float(values.max()), 1e-9)
        return Image.fromarray(np.clip(values * (255 / top) + 0.5, 0, 255).astype(np.uint8))
    if image.format != "PNG" or _png_depth(path) != 16:
        return None
    values16 = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if values16 is None or values16.dtype != np.uint16 or values16.ndim != 3:
        return None
    order = cv2.COLOR_BGRA2RGBA if values16.shape[2] == 4 else cv2.COLOR_BGR2RGB
    rgb = cv2.cvtColor(values16, order).astype(np.float32)
    return Image.fromarray((rgb / 257 + 0.5).astype(np.uint8))


def _png_depth(path: Path) -> int:
    with path.open("rb") as stream:
        header = stream.read(25)
    return header[24] if len(header) == 25 else 8


def _with_exif(image: Image.Image, source: Image.Image) -> Image.Image:
    """``image`` with the orientation that ``source`` states."""
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = source.getexif().get(0x0112, 1)
    image.save(buffer, "PNG", exif=exif, compress_level=1)
    return Image.open(io.BytesIO(buffer.getvalue()))


def _to_srgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    """RGB or RGBA in sRGB. A profile that cannot be used is said and passed over."""
    if "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBa"):
        image = image.convert("RGBA")
    if image.mode not in ("RGB", "RGBA", "CMYK", "L", "LAB"):
        image = image.convert("RGB")
    if profile:
        try:
            return _apply_profile(image, profile)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            notes.append("The colour profile could not be used; colours are taken as sRGB.")
    return image if image.mode in ("RGB", "RGBA") else image.convert("RGB")


def _apply_profile(image: Image.Image, profile: bytes) -> Image.Image:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    target = ImageCms.createProfile("sRGB")
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    opaque = image.convert("RGB") if alpha is not None else image
    out = ImageCms.profileToProfile(opaque, source, target, outputMode="RGB")
    if out is None:
        raise ValueError("the profile gave no picture")
    if alpha is not None:
        out.putalpha(alpha)
    return out


def _composite(
    image: Image.Image, alpha: NDArray[np.uint8] | None, background: tuple[int, int, int]
) -> Frame:
    pixels = np.ascontiguousarray(np.asarray(image.convert("RGB"), np.uint8))
    if alpha is None:
        return pixels
    share = alpha[..., None].astype(np.float32) / 255
    mixed = pixels * share + np.array(background, np.float32) * (1 - share)
    return (mixed + 0.5).astype(np.uint8)


def _name(colour: tuple[int, int, int]) -> str:
    names = {(255, 255, 255): "white", (0, 0, 0): "black"}
    return names.get(colour, "#{:02x}{:02x}{:02x}".format(*colour))
