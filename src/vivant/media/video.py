"""Video files to frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image, ImageSequence

from vivant.clip import Clip, Frame, VideoInfo
from vivant.errors import MediaError, UsageError
from vivant.media.colour import from_yuv420

ANIMATIONS = {".gif", ".webp", ".avif"}


def probe(path: Path) -> VideoInfo:
    """Facts from a video's header. Raises UsageError / MediaError as `iter_video` does."""
    _check(path)
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            context = stream.codec_context
            return VideoInfo(
                context.width, context.height, float(stream.average_rate or 25), stream.frames
            )
    except Exception as error:  # decoders raise more than their documented errors
        raise MediaError(f"{path} is not a video that can be read ({error}).") from error


def iter_video(path: Path) -> Iterator[Frame]:
    """Frames ``[H, W, 3]`` of a video, an animation, or a folder of PNG files.

    Raises UsageError where there is no such file, MediaError where it cannot be decoded.
    """
    _check(path)
    if path.is_dir():
        yield from _pngs(path)
        return
    reader = _animation if path.suffix.lower() in ANIMATIONS else _container
    try:
        yield from reader(path)
    except GeneratorExit:
        raise
    except Exception as error:  # decoders raise more than their documented errors
        raise MediaError(f"{path} cannot be decoded ({error}).") from error


def read_video(path: Path, max_frames: int | None = None) -> Clip:
    """The whole clip in memory, or its first ``max_frames``."""
    frames = []
    for frame in iter_video(path):
        frames.append(frame)
        if max_frames is not None and len(frames) >= max_frames:
            break
    if not frames:
        raise MediaError(f"{path} holds no frames.")
    fps = 24.0 if path.is_dir() or path.suffix.lower() in ANIMATIONS else probe(path).fps
    return Clip(np.stack(frames), fps)


def _check(path: Path) -> None:
    if not path.exists():
        raise UsageError(f"There is no file {path}.")


def _pngs(folder: Path) -> Iterator[Frame]:
    files = sorted(folder.glob("*.png"))
    if not files:
        raise MediaError(f"The folder {folder} holds no PNG frames.")
    for file in files:
        pixels = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if pixels is None:
            raise MediaError(f"{file} cannot be decoded.")
        yield np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def _animation(path: Path) -> Iterator[Frame]:
    with Image.open(path, formats=["GIF", "WEBP", "AVIF"]) as image:
        for frame in ImageSequence.Iterator(image):
            yield np.asarray(frame.convert("RGB"), np.uint8)


def _container(path: Path) -> Iterator[Frame]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            yield _to_rgb(frame)


def _to_rgb(frame: av.VideoFrame) -> Frame:
    """Our own conversion for what we write; the library's for everything else."""
    even = frame.width % 2 == 0 and frame.height % 2 == 0
    if frame.format.name == "yuv420p" and int(frame.colorspace) == 1 and even:
        return from_yuv420(frame.to_ndarray(), frame.width, frame.height)
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
