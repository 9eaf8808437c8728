"""Strangers' media, decoded in a disposable child process (`vivant.child`).

with Decoder() as decoder:
    picture = decoder.picture(Path("photo.jpg"))
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.child import Broken, Child, Limits
from vivant.clip import DepthMap, FilmInfo, Frame, Mask, Picture, Sound, VideoInfo
from vivant.errors import MediaError
from vivant.wire import Answer

LIMITS = Limits(seconds=60.0, memory_mib=6144)
"""For one picture, or one frame of a video."""
SIDE = "vivant.media.decoder_child"


class Decoder:
    """A child process that decodes; it starts at once and imports while the caller goes on.

    Where it dies, the request under way raises MediaError and the next one starts a new child.
    """

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._child = Child(limits, imports=(SIDE,), called="the decoder")

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def picture(self, path: Path) -> Picture:
        """As `vivant.media.read.read_picture`, with its errors."""
        answer = self._one("picture", path)
        pixels = _array(answer, "pixels", 3, path)
        alpha = _array(answer, "alpha", 2, path) if "alpha" in answer.arrays else None
        if alpha is not None and alpha.shape != pixels.shape[:2]:
            raise _nonsense(path)
        notes = tuple(str(note) for note in answer.facts.get("notes", ()))
        sha256, captured = (str(answer.facts.get(name, "")) for name in ("sha256", "captured"))
        return Picture(pixels, alpha, path.name, sha256, notes, captured)

    def mask(self, path: Path) -> Mask:
        """As `vivant.media.mask.read_mask`, with its errors."""
        answer = self._one("mask", path)
        notes = tuple(str(note) for note in answer.facts.get("notes", ()))
        return Mask(_array(answer, "values", 2, path), path.name, notes)

    def depth(self, path: Path) -> DepthMap:
        """As `vivant.media.depth.read_depth`, with its errors."""
        found = self._one("depth", path).arrays.get("values")
        if found is None or found.dtype != np.float32 or found.ndim != 2 or not found.size:
            raise _nonsense(path)
        return DepthMap(np.nan_to_num(np.clip(found, 0, 1)), path.name)

    def info(self, path: Path) -> VideoInfo:
        """As `vivant.media.video.probe`, with its errors."""
        facts = self._one("info", path).facts
        try:
            fps = float(facts["fps"])
            width, height, count = (int(facts[name]) for name in ("width", "height", "count"))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise _nonsense(path) from error
        if not 0 < fps < 1e6:
            raise _nonsense(path)
        return VideoInfo(width, height, fps, count)

    def frames(self, path: Path, most: int | None = None) -> Iterator[Frame]:
        """As `vivant.media.video.iter_video`, with its errors, at most ``most`` frames; the
        limits hold for each frame."""
        return self._frames("frames", path, most)

    def film(self, path: Path) -> FilmInfo:
        """As `vivant.media.film.film_info`, with its errors."""
        facts = self._one("film", path).facts
        try:
            notes = tuple(str(note) for note in facts.pop("notes"))
            found = FilmInfo(**facts, notes=notes)
            sound = found.width > 0 and found.height > 0 and found.count > 0
        except (KeyError, TypeError) as error:
            raise _nonsense(path) from error
        if not (sound and 0 < found.fps < 1e6):
            raise _nonsense(path)
        return found

    def sound(self, path: Path) -> Sound | None:
        """As `vivant.media.hearing.read_sound`, with its errors."""
        answer = self._one("sound", path)
        if not answer.arrays:
            return None
        samples, rate = answer.arrays.get("samples"), answer.facts.get("rate")
        if samples is None or samples.dtype != np.int16 or samples.ndim != 2:
            raise _nonsense(path)
        if samples.shape[1] not in (1, 2) or type(rate) is not int or not 0 < rate < 1e6:
            raise _nonsense(path)
        return Sound(samples, rate)

    def plain_frames(self, path: Path, most: int | None = None) -> Iterator[Frame]:
        """As `vivant.media.film.film_frames`, with its errors, at most ``most`` frames."""
        return self._frames("plain_frames", path, most)

    def opencv_frames(self, path: Path, most: int | None = None) -> Iterator[Frame]:
        """Frames ``[H, W, 3]`` in the order BGR as OpenCV's own reader gives them, whose levels
        differ by rounding: for protocols that are defined by it. Raises as `frames`."""
        return self._frames("opencv_frames", path, most)

    def close(self) -> None:
        """End the child."""
        self._child.close()

    def _frames(self, function: str, path: Path, most: int | None) -> Iterator[Frame]:
        for answer in self._asked(function, path, most=most):
            yield _array(answer, "frame", 3, path)

    def _one(self, function: str, path: Path, **options: Any) -> Answer:
        found = list(self._asked(function, path, **options))
        if len(found) != 1:
            raise _nonsense(path)
        return found[0]

    def _asked(self, function: str, path: Path, **options: Any) -> Iterator[Answer]:
        try:
            yield from self._child.ask(f"{SIDE}:{function}", path=str(path), **options)
        except Broken as error:
            raise MediaError(f"{path} cannot be decoded (it {error.why}).") from error


def _array(answer: Answer, name: str, dimensions: int, path: Path) -> NDArray[np.uint8]:
    found = answer.arrays.get(name)
    if found is None or found.dtype != np.uint8 or found.ndim != dimensions or not found.size:
        raise _nonsense(path)
    return found


def _nonsense(path: Path) -> MediaError:
    return MediaError(f"{path} cannot be decoded (it crashed the decoder).")


def decoded_frames(path: Path) -> Iterator[Frame]:
    """Frames ``[H, W, 3]`` of a video file or folder, decoded in a child of their own."""
    with Decoder() as decoder:
        yield from decoder.frames(path)
