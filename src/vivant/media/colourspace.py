"""Colour spaces that are stated by numbers, and their conversion to sRGB.

The numbers are those of ITU-T H.273 (CICP; also "nclx"), of PNG (cHRM, gAMA) and of EXIF. Values
are decoded to linear light, brought to the primaries of sRGB (Bradford adaptation to its white),
and encoded again; the depth is reduced last of all, so that 16 bits make no bands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame

Primaries = tuple[float, float, float, float, float, float, float, float]
"""Chromaticities x, y of white, red, green, blue, as in the cHRM chunk of PNG."""
Curve = Callable[[Floats], Floats]

D65 = (0.3127, 0.329)
SRGB: Primaries = (*D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
P3: Primaries = (*D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
ADOBE: Primaries = (*D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
ADOBE_GAMMA = 563 / 256
_PRIMARIES: dict[int, Primaries] = {
    1: SRGB,
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (0.310, 0.316, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    12: P3,
    22: (*D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0, 17: 2.6}
_LIKE_SRGB = {1, 2, 6, 7, 11, 13, 14, 15}
"""Also the camera curves of television: pictures that state them are meant for an sRGB screen."""
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_REFERENCE_WHITE, _PEAK = 203.0, 1000.0
"""In cd/m2 (ITU-R BT.2408): what becomes white, and what becomes the brightest white."""
_KNEE = 0.5
_BAND = 1 << 20
"""So many pixels are converted at a time."""


@dataclass(frozen=True)
class Space:
    """How code values become light.

    ``curves`` ``[3, 65536]`` float32, linear light of R, G, B by 16-bit code value (white = 1);
    ``matrix`` ``[3, 3]`` from linear R, G, B to those of sRGB; ``hdr`` "PQ", "HLG" or "".
    """

    curves: Floats
    matrix: NDArray[np.float64]
    hdr: str = ""


def srgb_decoded(values: Floats) -> Floats:
    """Linear light of sRGB values 0..1 (IEC 61966-2-1)."""
    low = values / 12.92
    high = ((np.maximum(values, 0.04045) + 0.055) / 1.055) ** 2.4
    return np.where(values <= 0.04045, low, high).astype(np.float32)


def _pq_decoded(values: Floats) -> Floats:
    """SMPTE ST 2084, with the reference white as 1."""
    root = values.astype(np.float64) ** (1 / 78.84375)
    light = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
    return (light ** (1 / 0.1593017578125) * 1e4 / _REFERENCE_WHITE).astype(np.float32)


def _hlg_decoded(values: Floats) -> Floats:
    """Scene light 0..1 of hybrid log-gamma (ITU-R BT.2100)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(values <= 0.5, values**2 / 3, (np.exp((values - c) / a) + b) / 12)


def by_curve(primaries: Primaries, curve: Curve, hdr: str = "", full_range: bool = True) -> Space:
    """A space of ``primaries`` in which all channels have one ``curve`` 0..1 to light.

    Raises ValueError where the primaries span no space.
    """
    codes = np.linspace(0, 1, 65536, dtype=np.float32)
    if not full_range:
        codes = np.clip((codes * 255 - 16) / 219, 0, 1)
    light = np.asarray(curve(codes), np.float32)
    return Space(np.stack([light] * 3), _to_xyz(SRGB, invert=True) @ _to_xyz(primaries), hdr)


def by_gamma(primaries: Primaries, gamma: float) -> Space:
    """A space with a power law. Raises ValueError for numbers that make no sense."""
    if not 0.1 <= gamma <= 10:
        raise ValueError(f"no gamma: {gamma}")
    return by_curve(primaries, lambda v: v ** np.float32(gamma))


def by_cicp(primaries: int, transfer: int, full_range: bool = True) -> Space | None:
    """The space of two code points of ITU-T H.273, None where it is that of sRGB or not stated.

    Raises ValueError for code points that are not known.
    """
    known = SRGB if primaries == 2 else _PRIMARIES.get(primaries)
    if known is None:
        raise ValueError(f"colour primaries {primaries} are not known")
    if transfer == 16:
        return by_curve(known, _pq_decoded, "PQ", full_range)
    if transfer == 18:
        return by_curve(known, _hlg_decoded, "HLG", full_range)
    if transfer in _GAMMAS:
        gamma = _GAMMAS[transfer]
        return by_curve(known, lambda v: v ** np.float32(gamma), "", full_range)
    if transfer not in _LIKE_SRGB:
        raise ValueError(f"the transfer function {transfer} is not known")
    if known == SRGB and full_range:
        return None
    return by_curve(known, srgb_decoded, "", full_range)


def _to_xyz(primaries: Primaries, invert: bool = False) -> NDArray[np.float64]:
    """Linear R, G, B to XYZ under D65 (``invert``: back)."""
    points = np.array(primaries, np.float64).reshape(4, 2)
    if not np.isfinite(points).all() or (points[:, 1] <= 1e-4).any():
        raise ValueError("chromaticities that are none")
    xyz = np.column_stack([points, 1 - points.sum(axis=1)]) / points[:, 1:]
    white, colours = xyz[0], xyz[1:].T
    if abs(float(np.linalg.det(colours))) < 1e-6:
        raise ValueError("primaries that span no colours")
    matrix = adaptation(white) @ (colours * np.linalg.solve(colours, white))
    return np.asarray(np.linalg.inv(matrix) if invert else matrix, np.float64)


def adaptation(white: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bradford's matrix ``[3, 3]`` from XYZ under ``white`` to XYZ under D65."""
    target = np.array([D65[0], D65[1], 1 - sum(D65)]) / D65[1]
    ratio = (_BRADFORD @ target) / (_BRADFORD @ white)
    return np.asarray(np.linalg.inv(_BRADFORD) @ (ratio[:, None] * _BRADFORD))


def from_xyz_d50() -> NDArray[np.float64]:
    """XYZ of the ICC's connection space (D50) to linear sRGB."""
    return _to_xyz(SRGB, invert=True) @ adaptation(np.array([0.9642, 1.0, 0.8249]))


def to_srgb(values: NDArray[np.uint8] | NDArray[np.uint16], space: Space) -> Frame:
    """``[H, W]`` or ``[H, W, 3]`` of 8 or 16 bits in ``space`` to 8-bit sRGB ``[H, W, 3]``.

    Colours out of the gamut are clipped channel by channel; of HDR, light above the reference
    white is compressed.
    """
    if values.dtype == np.uint8:
        space = replace(space, curves=space.curves[:, ::257])
    if values.ndim == 2:
        space = replace(space, matrix=np.eye(3)) if not space.hdr else space
    rows = max(1, _BAND // values.shape[1])
    out = np.empty((*values.shape[:2], 3), np.uint8)
    for top in range(0, len(values), rows):
        out[top : top + rows] = _converted(values[top : top + rows], space)
    return out


def _converted(values: NDArray[np.uint8] | NDArray[np.uint16], space: Space) -> Frame:
    planes = [values] * 3 if values.ndim == 2 else list(cv2.split(values))
    light = np.dstack([curve[plane] for curve, plane in zip(space.curves, planes, strict=True)])
    if space.hdr == "HLG":  # the screen's part of the curve, at 1000 cd/m2
        luma = light @ np.array([0.2627, 0.6780, 0.0593], np.float32)
        light *= luma[..., None] ** np.float32(0.2) * np.float32(_PEAK / _REFERENCE_WHITE)
    light = cv2.transform(light, space.matrix)
    if space.hdr:
        light = _compressed(light)
    return _encoding()[(np.clip(light, 0, 1) * 65535 + 0.5).astype(np.uint16)]


def _compressed(light: Floats) -> Floats:
    """Highlights up to the peak brought to 0..1, without a change of hue (extended Reinhard)."""
    most = np.maximum(light.max(axis=2), 1e-6)
    over = np.maximum(most - _KNEE, 0) / (1 - _KNEE)
    peak = (_PEAK / _REFERENCE_WHITE - _KNEE) / (1 - _KNEE)
    bent = np.minimum(most, _KNEE) + (1 - _KNEE) * over * (1 + over / peak**2) / (1 + over)
    return np.asarray(light * (bent / most)[..., None], np.float32)


@cache
def _encoding() -> NDArray[np.uint8]:
    """8-bit sRGB by linear light in 65536 steps; a step is at most 0.05 levels."""
    light = np.linspace(0, 1, 65536)
    value = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return (value * 255 + 0.5).astype(np.uint8)
