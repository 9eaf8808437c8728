"""Pictures and clips in memory.

Layout and range are stated once, here: uint8, sRGB, full range, RGB channel order,
``[H, W, 3]`` for a frame and ``[T, H, W, 3]`` for a clip.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
Plane = NDArray[np.uint8]
"""One channel, ``[H, W]`` uint8; where it is a mask, 255 = applies."""
Floats = NDArray[np.float32]


def _check_rgb(pixels: NDArray[Any], dims: int, what: str) -> None:
    if pixels.dtype != np.uint8 or pixels.ndim != dims or pixels.shape[-1] != 3:
        raise ValueError(f"{what} must be uint8 with 3 channels, not {pixels.dtype} {pixels.shape}")


@dataclass(frozen=True)
class Picture:
    """One still image.

    ``pixels`` is ``[H, W, 3]``; ``alpha`` is ``[H, W]`` uint8 or None where the picture is
    opaque; ``sha256`` is the hash of the file it came from ("" if it came from memory);
    ``notes`` are sentences a user should hear, such as "only the first of 12 frames is used".
    ``captured`` is when it was taken, ISO 8601, "" where that is not known. ``name`` is valid
    Unicode: what a file system holds besides is replaced.
    """

    pixels: Frame
    alpha: NDArray[np.uint8] | None = None
    name: str = ""
    sha256: str = ""
    notes: tuple[str, ...] = ()
    captured: str = ""

    def __post_init__(self) -> None:
        _check_rgb(self.pixels, 3, "a picture")
        name = self.name.encode("utf-8", "replace").decode("utf-8")
        object.__setattr__(self, "name", name)  # frozen
        if self.alpha is not None and self.alpha.shape != self.pixels.shape[:2]:
            raise ValueError("alpha must have the height and width of the picture")

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def __repr__(self) -> str:
        width, height = self.size
        return f"Picture({self.name!r}, {width}x{height}, alpha={self.alpha is not None})"


@dataclass(frozen=True)
class Mask:
    """Where something applies: ``values`` ``[H, W]`` uint8, 255 = applies; ``notes`` are
    sentences a user should hear, such as "read by its alpha"."""

    values: Plane
    name: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.values.dtype != np.uint8 or self.values.ndim != 2:
            raise ValueError(f"a mask must be uint8 [H, W], not {self.values.shape}")

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.values.shape[1], self.values.shape[0]


@dataclass(frozen=True)
class DepthMap:
    """How near everything is: ``values`` ``[H, W]`` float32, relative inverse depth 0..1, 0
    infinitely far."""

    values: Floats
    name: str = ""

    def __post_init__(self) -> None:
        if self.values.dtype != np.float32 or self.values.ndim != 2:
            raise ValueError(f"a depth map must be float32 [H, W], not {self.values.shape}")

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.values.shape[1], self.values.shape[0]


@dataclass(frozen=True)
class VideoSpec:
    """What a stream of frames will be: every frame has this size, there are ``count`` of them; with
    ``alpha`` they are ``[H, W, 4]``, the colours those of what is there alone."""

    width: int
    height: int
    fps: float
    count: int
    alpha: bool = False

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return self.count / self.fps


@dataclass(frozen=True)
class VideoInfo:
    """Size, rate and (as far as the container says) number of frames."""

    width: int
    height: int
    fps: float
    count: int


@dataclass(frozen=True, eq=False)
class Sound:
    """``samples`` ``[N, 1 or 2]`` int16, ``rate`` of them a second."""

    samples: NDArray[np.int16]
    rate: int

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return len(self.samples) / self.rate


@dataclass(frozen=True)
class FilmInfo:
    """What footage is once it is upright and of one rate: size, ``fps``, ``count`` of frames, the
    ``codec`` it had, whether it has ``sound``; ``notes`` are sentences a user should hear."""

    width: int
    height: int
    fps: float
    count: int
    codec: str = ""
    sound: bool = False
    notes: tuple[str, ...] = ()
