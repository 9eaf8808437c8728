"""ICC profiles: by LittleCMS for 8 bits, by our own curves and matrix for 16.

Through Pillow, LittleCMS takes 8 bits only (of grey 16, but coarsely). Profiles of curves and a
matrix, which is what cameras and scanners embed, are read here (ICC.1:2022, 9.2, 10.6, 10.18), so
that a picture of 16 bits is converted before its depth is reduced.
"""

from __future__ import annotations

import io
import struct

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from vivant.clip import Floats, Frame
from vivant.media.colourspace import Space, from_xyz_d50, to_srgb

_CODES = np.linspace(0, 1, 65536)


def apply_profile(
    values: NDArray[np.uint8] | NDArray[np.uint16], mode: str, profile: bytes
) -> Frame:
    """``values`` of a Pillow ``mode`` (L, RGB, CMYK, LAB; 8 bits, or 16 of L and RGB) to 8-bit
    sRGB ``[H, W, 3]``. Raises ValueError, OSError or PyCMSError where the profile does not fit."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    kind = source.profile.xcolor_space.strip()
    if mode == "L" and kind == "RGB":  # grey that is stated as equal parts of red, green, blue
        values, mode = cv2.merge([values] * 3), "RGB"
    if kind == "GRAY" and mode != "L":
        raise ValueError("a profile for grey on a picture in colour")
    if values.dtype == np.uint16:
        space = curves_and_matrix(profile)
        if space is not None:
            return to_srgb(values, space)
        values = (values.astype(np.float32) / 257 + 0.5).astype(np.uint8)
    image = Image.fromarray(values, mode)
    target = ImageCms.createProfile("sRGB")
    out = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    if out is None:
        raise ValueError("the profile gave no picture")
    return np.asarray(out, np.uint8)


def curves_and_matrix(profile: bytes) -> Space | None:
    """The space of a profile of curves and a matrix, or of one curve for grey; None where it is
    of another kind or damaged."""
    try:
        tags = _tags(profile)
        if b"A2B0" in tags or profile[20:24] != b"XYZ ":
            return None
        if profile[16:20] == b"GRAY":
            return Space(np.stack([_curve(tags[b"kTRC"])] * 3), np.eye(3))
        columns = [_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        curves = [_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")]
    except (KeyError, struct.error, ValueError, IndexError):
        return None
    return Space(np.stack(curves), from_xyz_d50() @ np.column_stack(columns))


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    out = {}
    for index in range(min(count, 100)):
        name, start, size = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        out[name] = profile[start : start + size]
    return out


def _xyz(tag: bytes) -> NDArray[np.float64]:
    return np.array(struct.unpack_from(">3i", tag, 8)) / 65536


def _curve(tag: bytes) -> Floats:
    """Light by 16-bit code value of a "curv" or "para" tag."""
    if tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        count = (1, 3, 4, 5, 7)[kind]
        return _parametric(kind, np.array(struct.unpack_from(f">{count}i", tag, 12)) / 65536)
    (count,) = struct.unpack_from(">I", tag, 8)
    table = np.frombuffer(tag, ">u2", count, 12)
    if count == 0:
        return _CODES.astype(np.float32)
    if count == 1:
        return (_CODES ** (table[0] / 256)).astype(np.float32)
    return np.interp(_CODES, np.linspace(0, 1, count), table / 65535).astype(np.float32)


def _parametric(kind: int, numbers: NDArray[np.float64]) -> Floats:
    """Y = (a X + b)^g + e from d on, c X + f below; the kinds leave some of these out."""
    padded = np.append(numbers, [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0][len(numbers) :])
    g, a, b, c, d, e, f = (float(number) for number in padded)
    if kind in (1, 2):  # nothing below -b / a; the third number is what is added to all
        e = f = c if kind == 2 else 0.0
        c, d = 0.0, -b / a
    high = np.maximum(a * _CODES + b, 0) ** g + e
    return np.where(d <= _CODES, high, c * _CODES + f).astype(np.float32)
