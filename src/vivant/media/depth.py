"""Depth maps: files of many kinds to relative inverse depth, 0 infinitely far, 1 the nearest.

==========================  =======================================================================
file                        read as
==========================  =======================================================================
PNG, TIFF, ... (8, 16 bit)  brightness: near = white, black = infinitely far, as `vivant see` writes
EXR                         distance along the axis in the channel Z, or in the only one there is
npz                         "depth" is distance, "disparity" inverse depth
npy                         inverse depth
==========================  =======================================================================
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vivant.clip import DepthMap, Floats
from vivant.errors import MediaError, UsageError
from vivant.media.exr import read_exr
from vivant.media.mask_samples import stored_samples
from vivant.media.read import read_picture

MOST_PIXELS = 80_000_000
COLOURED = 24
"""Levels of 255 by which the channels of a grey file may differ."""
FLAT = 1e-3
"""Of the largest value: what differs by less is flat."""
NEAREST = 99.9
"""Percentile that counts as the nearest; single pixels may lie nearer."""


def read_depth(path: Path) -> DepthMap:
    """Read a depth map. Raises UsageError where the file is missing or shows no depth, MediaError
    where it cannot be decoded; both name it."""
    if not path.is_file():
        raise UsageError(f"There is no depth map {path}.")
    suffix = path.suffix.lower()
    if _starts(path, b"\x76\x2f\x31\x01") or suffix == ".exr":
        values = _inverse(_distance(read_exr(path), path))
    elif _starts(path, b"PK") or suffix == ".npz":
        values = _stored(path)
    elif _starts(path, b"\x93NUMPY") or suffix == ".npy":
        values = _array(path)
    else:
        values = _brightness(path)
    return DepthMap(_relative(values, path), path.name)


def _starts(path: Path, magic: bytes) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(magic)) == magic


def _brightness(path: Path) -> Floats:
    picture = read_picture(path, background=(0, 0, 0))
    samples = stored_samples(path, picture.size)
    values = picture.pixels.astype(np.float32) if samples is None else samples.values
    if values.ndim == 2:
        return values
    if float((values.max(axis=2) - values.min(axis=2) > COLOURED).mean()) > 0.001:
        raise UsageError(
            f"{path} is coloured, and a depth map is grey: save depth itself (near = white), not a"
            " picture of it in colours."
        )
    return np.asarray(values.mean(axis=2), np.float32)


def _distance(channels: dict[str, Floats], path: Path) -> Floats:
    if "Z" in channels:
        return channels["Z"]
    planes = list(channels.values())
    if not planes or any(not np.array_equal(planes[0], plane) for plane in planes[1:]):
        raise UsageError(
            f"{path} has no channel Z, but {', '.join(channels) or 'none'}; save depth as Z."
        )
    return planes[0]


def _inverse(distance: Floats) -> Floats:
    """Inverse depth; what has no distance is infinitely far."""
    near = np.where(np.isfinite(distance) & (distance > 0), distance, np.inf)
    return np.asarray(1 / near, np.float32)


def _stored(path: Path) -> Floats:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            names = list(file.files)
            for name, far in (("disparity", False), ("depth", True)):
                if name in names:
                    values = _checked(file[name], path)
                    return _inverse(values) if far else values
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError) as error:
        raise MediaError(f"{path} is no npz file of NumPy, or it is damaged ({error}).") from error
    raise UsageError(
        f"{path} has no array depth (distance) or disparity (inverse), but"
        f" {', '.join(names) or 'none'}."
    )


def _array(path: Path) -> Floats:
    try:
        with path.open("rb") as stream:
            return _checked(np.load(stream, allow_pickle=False), path)
    except (OSError, ValueError, EOFError) as error:
        raise MediaError(f"{path} is no npy file of NumPy, or it is damaged ({error}).") from error


def _checked(values: NDArray[np.generic], path: Path) -> Floats:
    plane = np.squeeze(values)
    if plane.ndim != 2 or plane.dtype.kind not in "fiu" or min(plane.shape) < 2:
        raise UsageError(f"{path} holds {values.dtype} {list(values.shape)}, not [H, W] numbers.")
    if plane.size > MOST_PIXELS:
        raise UsageError(f"{path} has over {MOST_PIXELS // 1_000_000} megapixels; make it smaller.")
    return np.asarray(plane, np.float32)


def _relative(values: Floats, path: Path) -> Floats:
    """Brought to 0..1, the nearest 1; what is negative or no number is infinitely far."""
    plain = np.where(np.isfinite(values) & (values > 0), values, 0)
    near = float(np.percentile(plain, NEAREST)) or float(plain.max())
    if near <= 0 or float(plain.max() - plain.min()) < FLAT * near:
        raise UsageError(f"{path} is the same everywhere: it shows no depth.")
    return np.clip(plain / np.float32(near), 0, 1).astype(np.float32)
