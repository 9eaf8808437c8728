"""Video files to frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from PIL import Image

from vivant.clip import Frame, VideoInfo
from vivant.errors import MediaError, UsageError, VivantError
from vivant.files import listed
from vivant.media.animation import animation_frames, is_animation, size_of
from vivant.media.colour import from_yuv420

CONTAINERS = "mov,matroska,webm,avi,mpegts,mpeg,ogg,flv,asf,m4v"
MAX_PIXELS = 40_000_000
"""Of one frame."""


def probe(path: Path) -> VideoInfo:
    """Facts from a video's header. Raises UsageError / MediaError as `iter_video` does."""
    check_exists(path)
    try:
        with open_video(path) as container:
            stream = container.streams.video[0]
            context = stream.codec_context
            return VideoInfo(
                context.width, context.height, float(stream.average_rate or 25), stream.frames
            )
    except Exception as error:  # decoders raise more than their documented errors
        raise MediaError(f"{path} is not a video that can be read ({error}).") from error


def iter_video(path: Path) -> Iterator[Frame]:
    """Frames ``[H, W, 3]`` of a video, an animation, or a folder of PNG files.

    Raises UsageError where there is no such file, MediaError where it cannot be decoded, is in
    a format that is not on the list, has frames of over `MAX_PIXELS`, or changes its size.
    """
    shape = None
    for frame in _frames(path):
        shape = shape or frame.shape
        if frame.shape != shape:
            raise MediaError(
                f"{path} changes its size from {shape[1]}x{shape[0]} to"
                f" {frame.shape[1]}x{frame.shape[0]} midway; cut it there first."
            )
        yield frame


def _frames(path: Path) -> Iterator[Frame]:
    check_exists(path)
    if path.is_dir():
        yield from _pngs(path)
        return
    reader = animation if is_animation(path) else _container
    try:
        yield from reader(path)
    except (GeneratorExit, VivantError):
        raise
    except Exception as error:  # decoders raise more than their documented errors
        raise MediaError(f"{path} cannot be decoded ({error}).") from error


def check_exists(path: Path) -> None:
    """Raises UsageError where there is no such file."""
    if not path.exists():
        raise UsageError(f"There is no file {path}.")


def _pngs(folder: Path) -> Iterator[Frame]:
    files = listed(folder, "*.png")
    if not files:
        raise MediaError(f"The folder {folder} holds no PNG frames.")
    for file in files:
        with Image.open(file, formats=["PNG"]) as header:
            check_frame(file, *header.size)
        pixels = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_COLOR)  # any name
        if pixels is None:
            raise MediaError(f"{file} cannot be decoded.")
        yield np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def animation(path: Path) -> Iterator[Frame]:
    """The frames of an animated picture. Raises MediaError where they are too large."""
    check_frame(path, *size_of(path))
    return (frame for frame, _ in animation_frames(path))


def open_video(path: Path) -> Any:
    """A container of a known format, opened for decoding.

    Without the list FFmpeg would follow play lists, to other files and to the network.
    """
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}
    return av.open(url_of(path), options=options)


def pictures_of(path: Path, container: Any) -> Any:
    """The first stream of moving pictures; a cover of a song is none. Raises MediaError where there
    is none."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    raise MediaError(f"{path} holds no moving picture, only sound or data; name a video.")


def url_of(path: Path) -> str:
    """A path as FFmpeg takes it: whatever is in the name, it is a file and no address."""
    return f"file:{path.absolute()}"


def check_frame(path: Path, width: int, height: int) -> None:
    """Raises MediaError where a frame has more than `MAX_PIXELS`."""
    if width * height > MAX_PIXELS:
        raise MediaError(
            f"{path} is {width}x{height}; at most {MAX_PIXELS // 1_000_000} megapixels a frame"
            " are taken."
        )


def _container(path: Path) -> Iterator[Frame]:
    with open_video(path) as container:
        for frame in decoded(path, container, container.streams.video[0]):
            yield to_rgb(frame)


def decoded(path: Path, container: Any, stream: Any) -> Iterator[av.VideoFrame]:
    """The frames of a stream as they are coded. Raises MediaError where one is too large."""
    stream.thread_type = "AUTO"
    check_frame(path, stream.codec_context.width, stream.codec_context.height)
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    for frame in container.decode(stream):
        check_frame(path, frame.width, frame.height)
        yield frame


def to_rgb(frame: av.VideoFrame) -> Frame:
    """Our own conversion for what we write; the library's for everything else."""
    even = frame.width % 2 == 0 and frame.height % 2 == 0
    if frame.format.name == "yuv420p" and int(frame.colorspace) == 1 and even:
        return from_yuv420(frame.to_ndarray(), frame.width, frame.height)
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
