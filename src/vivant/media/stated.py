"""What a file says of its colours without an ICC profile, and of the day it was taken."""

from __future__ import annotations

import math
import struct
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from vivant.media.colourspace import (
    ADOBE,
    ADOBE_GAMMA,
    SRGB,
    Primaries,
    Space,
    by_cicp,
    by_curve,
    by_gamma,
    srgb_decoded,
)

_UNCALIBRATED, _ADOBE = 0xFFFF, 2
_NEAR = 0.002


def stated_space(path: Path, image: Image.Image) -> Space | None:
    """The colour space of an open picture that has no profile; None where it is sRGB, or nothing
    is said. Raises ValueError where what is said makes no sense.

    PNG: cICP before sRGB before gAMA and cHRM (Portable Network Graphics 3, 13.16). AVIF and
    HEIC: the nclx box. Of all, what EXIF says otherwise (DCF 2.0: AdobeRGB).
    """
    if image.format == "PNG":
        points = _png_cicp(path)
        if points is not None:
            return by_cicp(points[0], points[1], bool(points[3]))
        if "srgb" in image.info:
            return None
        if "gamma" in image.info or "chromaticity" in image.info:
            return _png_space(image.info)
    if image.format in ("AVIF", "HEIF"):
        primaries, transfer = _nclx(path, image)
        if (primaries, transfer) != (2, 2):
            return by_cicp(primaries, transfer)
    return _exif_space(exif_of(image))


def _png_cicp(path: Path) -> bytes | None:
    """The four bytes of the cICP chunk: primaries, transfer, matrix, full range."""
    with path.open("rb") as stream:
        stream.seek(8)
        while len(head := stream.read(8)) == 8:
            length, name = struct.unpack(">I4s", head)
            if name in (b"IDAT", b"IEND"):
                return None
            if name == b"cICP" and length == 4:
                return stream.read(4)
            stream.seek(length + 4, 1)
    return None


def _png_space(info: dict[Any, Any]) -> Space | None:
    primaries = info.get("chromaticity", SRGB)
    gamma = info.get("gamma")
    usual = gamma is None or abs(gamma - 1 / 2.2) < _NEAR
    if usual and _near(primaries, SRGB):
        return None  # what writers of sRGB put there for old readers
    if gamma is None:
        return by_curve(primaries, srgb_decoded)
    return by_gamma(primaries, 1 / gamma if gamma > 0 else 0.0)


def _near(a: Primaries, b: Primaries) -> bool:
    return all(math.isclose(x, y, abs_tol=_NEAR) for x, y in zip(a, b, strict=True))


def _nclx(path: Path, image: Image.Image) -> tuple[int, int]:
    """Colour primaries and transfer function; (2, 2) where they are not stated."""
    if image.format == "HEIF":
        box = image.info.get("nclx_profile") or {}
        return box.get("color_primaries", 2), box.get("transfer_characteristics", 2)
    from vivant.media.video import open_video  # Pillow does not tell it of AVIF

    with open_video(path) as container:
        context = container.streams.video[0].codec_context
        return int(context.color_primaries), int(context.color_trc)


def _exif_space(exif: Image.Exif) -> Space | None:
    details = exif.get_ifd(ExifTags.IFD.Exif)
    said = details.get(ExifTags.Base.ColorSpace)
    index = exif.get_ifd(ExifTags.IFD.Interop).get(1, "")
    if said == _ADOBE or (said == _UNCALIBRATED and str(index).startswith("R03")):
        return by_gamma(ADOBE, ADOBE_GAMMA)
    white = exif.get(ExifTags.Base.WhitePoint)
    colours = exif.get(ExifTags.Base.PrimaryChromaticities)
    if said == 1 or white is None or colours is None or len(white) + len(colours) != 8:
        return None
    numbers = [float(number) for number in (*white, *colours)]
    primaries: Primaries = tuple(numbers)  # type: ignore[assignment] # eight, as checked
    gamma = float(details.get(ExifTags.Base.Gamma, 2.2))
    return None if _near(primaries, SRGB) else by_gamma(primaries, gamma)


def exif_of(image: Image.Image) -> Image.Exif:
    """The EXIF of an open picture, empty where it has none or what it has is damaged."""
    try:
        exif = image.getexif()
        exif.get_ifd(ExifTags.IFD.Exif)
    except Exception:  # the reader raises more than its documented errors
        return Image.Exif()
    return exif


def captured(image: Image.Image) -> str:
    """When a picture was taken, by EXIF, as ISO 8601 with the offset to UTC where it is known;
    "" where it is not said."""
    details = exif_of(image).get_ifd(ExifTags.IFD.Exif)
    text = str(details.get(ExifTags.Base.DateTimeOriginal, "")).strip("\0 ")
    offset = str(details.get(ExifTags.Base.OffsetTimeOriginal, "")).strip("\0 ")
    try:
        moment = datetime.strptime(text, "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return ""
    try:
        return datetime.fromisoformat(moment.isoformat() + offset).isoformat()
    except ValueError:
        return moment.isoformat()
