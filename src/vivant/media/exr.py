"""OpenEXR files of scan lines, uncompressed or in ZIP blocks: written and read without a library.

After "OpenEXR File Layout" (openexr.com): a header of attributes, a table of offsets, then blocks
of lines, of each line all channels in the order of their names. OpenCV's reader is switched off by
default, and the library OpenEXR is larger than what is needed here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.errors import MediaError

MAGIC, VERSION = 20000630, 2
MOST_PIXELS = 80_000_000
TYPES: dict[int, np.dtype[Any]] = {0: np.dtype("<u4"), 1: np.dtype("<f2"), 2: np.dtype("<f4")}
LINES = {0: 1, 2: 1, 3: 16}
"""Lines in a block by compression: none, ZIPS, ZIP."""
ZIP = 3
OTHERS = {1: "RLE", 4: "PIZ", 5: "PXR24", 6: "B44", 7: "B44A", 8: "DWAA", 9: "DWAB"}

Bytes = NDArray[np.uint8]


def write_exr(path: Path, channels: Mapping[str, NDArray[np.generic]]) -> None:
    """Write ``channels`` ``[H, W]``, float32, float16 or uint32, by their names (Z, R, G, B, ...),
    compressed by ZIP without loss."""
    names = sorted(channels)
    kinds = {kind: number for number, kind in TYPES.items()}
    planes = [np.ascontiguousarray(channels[name]) for name in names]
    planes = [plane.astype(plane.dtype.newbyteorder("<"), copy=False) for plane in planes]
    height, width = planes[0].shape
    listed = b"".join(
        name.encode() + b"\0" + struct.pack("<iBxxxii", kinds[plane.dtype], 0, 1, 1)
        for name, plane in zip(names, planes, strict=True)
    )
    window = struct.pack("<iiii", 0, 0, width - 1, height - 1)
    header = struct.pack("<ii", MAGIC, VERSION) + b"".join(
        (
            _attribute("channels", "chlist", listed + b"\0"),
            _attribute("compression", "compression", bytes([ZIP])),
            _attribute("dataWindow", "box2i", window),
            _attribute("displayWindow", "box2i", window),
            _attribute("lineOrder", "lineOrder", b"\0"),
            _attribute("pixelAspectRatio", "float", struct.pack("<f", 1)),
            _attribute("screenWindowCenter", "v2f", struct.pack("<ff", 0, 0)),
            _attribute("screenWindowWidth", "float", struct.pack("<f", 1)),
        )
    )
    blocks = []
    for top in range(0, height, LINES[ZIP]):
        rows = range(top, min(height, top + LINES[ZIP]))
        raw = b"".join(plane[row].tobytes() for row in rows for plane in planes)
        packed = zlib.compress(_spread(np.frombuffer(raw, np.uint8)).tobytes(), 4)
        data = packed if len(packed) < len(raw) else raw
        blocks.append(struct.pack("<ii", top, len(data)) + data)
    start = len(header) + 1 + 8 * len(blocks)
    places = start + np.cumsum([0, *(len(block) for block in blocks[:-1])])
    path.write_bytes(header + b"\0" + places.astype("<u8").tobytes() + b"".join(blocks))


def _attribute(name: str, kind: str, value: bytes) -> bytes:
    return f"{name}\0{kind}\0".encode() + struct.pack("<i", len(value)) + value


def _spread(raw: Bytes) -> Bytes:
    """Even bytes, then odd ones, each as its difference to the one before: packs better."""
    parted = np.concatenate([raw[::2], raw[1::2]])
    out = parted.copy()
    out[1:] = parted[1:] - parted[:-1] + np.uint8(128)  # wraps around
    return out


def _gathered(spread: Bytes) -> Bytes:
    """The inverse of `_spread`."""
    steps = spread.copy()
    steps[1:] -= np.uint8(128)
    parted = np.cumsum(steps, dtype=np.uint8)
    out = np.empty_like(parted)
    half = (len(parted) + 1) // 2
    out[::2], out[1::2] = parted[:half], parted[half:]
    return out


@dataclass(frozen=True)
class _Head:
    """What the header says; ``start`` of the table of offsets."""

    channels: tuple[tuple[str, np.dtype[Any]], ...]
    size: tuple[int, int]
    top: int
    lines: int
    start: int


def read_exr(path: Path) -> dict[str, Floats]:
    """All channels ``[H, W]`` as float32, by name.

    Raises MediaError for what is no such file, is damaged, or is compressed, tiled or deep in a way
    that is not read.
    """
    data = path.read_bytes()
    try:
        head = _head(data, path)
        return _planes(data, head)
    except (struct.error, zlib.error, ValueError, IndexError, KeyError) as error:
        raise MediaError(f"{path} is no OpenEXR file, or it is damaged ({error}).") from error


def _head(data: bytes, path: Path) -> _Head:
    magic, version = struct.unpack_from("<ii", data)
    if magic != MAGIC or version & 0xFF != VERSION:
        raise ValueError("no OpenEXR file of version 2")
    if version & 0x1A00:
        raise MediaError(f"{path} is tiled, deep or of several parts; save it as scan lines.")
    found, at = {}, 8
    while data[at]:
        name_end = data.index(b"\0", at)
        kind_end = data.index(b"\0", name_end + 1)
        (size,) = struct.unpack_from("<i", data, kind_end + 1)
        start = kind_end + 5
        if size < 0 or start + size > len(data):
            raise ValueError("an attribute is cut short")
        found[data[at:name_end].decode("latin-1")] = data[start : start + size]
        at = start + size
    compression = found["compression"][0]
    if compression not in LINES:
        name = OTHERS.get(compression, str(compression))
        raise MediaError(f"{path} is compressed by {name}; save it with ZIP, or as 16-bit PNG.")
    left, top, right, low = struct.unpack("<iiii", found["dataWindow"])
    width, height = right - left + 1, low - top + 1
    if min(width, height) < 1 or width * height > MOST_PIXELS:
        raise ValueError(f"{width}x{height} pixels")
    channels = _channels(found["channels"])
    return _Head(channels, (height, width), top, LINES[compression], at + 1)


def _channels(listed: bytes) -> tuple[tuple[str, np.dtype[Any]], ...]:
    found, at = [], 0
    while listed[at]:
        end = listed.index(b"\0", at)
        kind, _, across, down = struct.unpack_from("<iBxxxii", listed, end + 1)
        if (across, down) != (1, 1):
            raise ValueError("a channel has fewer pixels than the picture")
        found.append((listed[at:end].decode("latin-1"), TYPES[kind]))
        at = end + 17
    return tuple(found)


def _planes(data: bytes, head: _Head) -> dict[str, Floats]:
    height, width = head.size
    out = {name: np.zeros(head.size, np.float32) for name, _ in head.channels}
    stride = width * sum(kind.itemsize for _, kind in head.channels)
    count = -(-height // head.lines)
    for place in struct.unpack_from(f"<{count}Q", data, head.start):
        line, size = struct.unpack_from("<ii", data, place)
        row = line - head.top
        rows = min(head.lines, height - row)
        raw = data[place + 8 : place + 8 + size]
        if len(raw) != size:
            raise ValueError("it is cut short")
        if not 0 <= row < height:
            raise ValueError("a line lies outside of the picture")
        if size < rows * stride:
            unpacked = zlib.decompressobj().decompress(raw, rows * stride + 1)
            raw = _gathered(np.frombuffer(unpacked, np.uint8)).tobytes()
        if len(raw) != rows * stride:
            raise ValueError("a block has another size than its header says")
        at = 0
        for number in range(row, row + rows):
            for name, kind in head.channels:
                out[name][number] = np.frombuffer(raw, kind, width, at)
                at += width * kind.itemsize
    return out
