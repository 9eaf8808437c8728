"""Frames to a video file. Only the release step may call this for what a user sees."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from PIL import Image

from vivant.clip import Frame, VideoSpec
from vivant.errors import MediaError, UsageError
from vivant.media.colour import to_yuv420
from vivant.media.formats import Format
from vivant.media.scheduling import is_real_time, leave_real_time

BT709 = 1
LIMITED, FULL = 1, 2
GIF_FPS = 50.0

Share = Callable[[float], None]


def even_size(width: int, height: int) -> tuple[int, int]:
    """The largest even (width, height) not above the given one."""
    return width - width % 2, height - height % 2


def write_video(
    frames: Iterable[Frame],
    spec: VideoSpec,
    path: Path,
    fmt: Format,
    *,
    lossless: bool = False,
    tags: Mapping[str, str] | None = None,
    xmp: bytes = b"",
    progress: Share = lambda share: None,
) -> None:
    """Encode ``frames`` to ``path`` as it is named; the caller publishes it by rename.

    Frames are streamed, so memory does not grow with the duration. ``tags`` are written as
    container metadata where the container has a place for them, the packet ``xmp`` in WebP
    and AVIF. Raises UsageError for odd sides where colour is stored at half size, MediaError
    where encoding fails.
    """
    if fmt.halved and (spec.width % 2 or spec.height % 2):
        raise UsageError(
            f"{fmt.name} needs even sides, not {spec.width}x{spec.height}; choose an even --size."
        )
    counted = _checked(frames, spec, progress)
    try:
        if fmt.encoder == "png":
            _write_pngs(counted, path)
        elif fmt.encoder == "pillow":
            _write_pillow(counted, spec, path, fmt, lossless, xmp)
        elif fmt.encoder == "gif":
            _write_gif(counted, spec, path, tags or {})
        else:
            _write_av(counted, spec, path, fmt, tags or {})
    except (av.FFmpegError, cv2.error) as error:
        raise MediaError(f"The {fmt.name} encoder failed ({error}).") from error


def _checked(frames: Iterable[Frame], spec: VideoSpec, progress: Share) -> Iterator[Frame]:
    """Every frame must have the promised size: encoders misbehave when it changes."""
    shape = (spec.height, spec.width, 3)
    for index, frame in enumerate(frames):
        if frame.shape != shape or frame.dtype != np.uint8:
            raise ValueError(f"frame {index} is {frame.dtype} {frame.shape}, not uint8 {shape}")
        yield frame
        progress((index + 1) / spec.count)


def _rate(fps: float) -> Fraction:
    return Fraction(fps).limit_denominator(1001)


def _write_av(
    frames: Iterator[Frame], spec: VideoSpec, path: Path, fmt: Format, tags: Mapping[str, str]
) -> None:
    os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder prints banners otherwise
    quicktime = fmt.suffix in (".mp4", ".mov")
    movflags = {"movflags": "+faststart+use_metadata_tags"} if quicktime else {}
    with av.open(str(path), "w", options=movflags) as container:
        container.metadata.update(tags)
        stream: Any = container.add_stream(fmt.encoder, rate=_rate(spec.fps))
        stream.width, stream.height = spec.width, spec.height
        stream.pix_fmt = "yuv420p" if fmt.halved else "bgr0"
        stream.options = dict(fmt.options)
        stream.thread_type = "AUTO"
        if fmt.halved:
            _tag(stream.codec_context)
        chosen = is_real_time()
        for index, frame in enumerate(frames):
            picture = _yuv_frame(frame) if fmt.halved else _rgb_frame(frame)
            picture.pts = index
            picture.time_base = 1 / _rate(spec.fps)
            container.mux(stream.encode(picture))
            if index == 0 and not chosen:  # the encoder has started its threads
                leave_real_time()
        container.mux(stream.encode(None))


def _tag(target: Any) -> None:
    """State the colour space; encoders take it from the context, some from the frame."""
    target.color_primaries = BT709
    target.color_trc = BT709
    target.colorspace = BT709
    target.color_range = LIMITED


def _yuv_frame(frame: Frame) -> av.VideoFrame:
    picture = av.VideoFrame.from_ndarray(to_yuv420(frame), format="yuv420p")
    _tag(picture)
    return picture


def _rgb_frame(frame: Frame) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="bgr0")


def _write_pngs(frames: Iterator[Frame], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for index, frame in enumerate(frames):
        ok, data = cv2.imencode(
            ".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 3]
        )
        if not ok:
            raise MediaError(f"Frame {index} could not be encoded as PNG.")
        (folder / f"frame_{index:05d}.png").write_bytes(data.tobytes())


def _write_pillow(
    frames: Iterator[Frame], spec: VideoSpec, path: Path, fmt: Format, lossless: bool, xmp: bytes
) -> None:
    options: dict[str, Any] = {
        k: int(v) for k, v in (fmt.lossless_options if lossless else fmt.options)
    }
    if xmp:
        options["xmp"] = xmp
    images = (Image.fromarray(frame) for frame in frames)
    first = next(images)
    first.save(
        path,
        fmt.name.upper(),
        save_all=True,
        append_images=images,
        duration=round(1000 / spec.fps),
        loop=0,
        **options,
    )


def _write_gif(
    frames: Iterator[Frame], spec: VideoSpec, path: Path, tags: Mapping[str, str]
) -> None:
    """GIF with one palette made for the whole clip, through FFmpeg's palette filters."""
    rate = _rate(min(spec.fps, GIF_FPS))
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=spec.width, height=spec.height, format="rgb24", time_base=1 / rate
    )
    split = graph.add("split")
    palette = graph.add("palettegen", "stats_mode=full")
    apply = graph.add("paletteuse", "dither=sierra2_4a:diff_mode=rectangle")
    sink = graph.add("buffersink")
    source.link_to(split)
    split.link_to(apply, 0, 0)
    split.link_to(palette, 1, 0)
    palette.link_to(apply, 0, 1)
    apply.link_to(sink)
    graph.configure()
    with av.open(str(path), "w", options={"loop": "0"}) as container:
        container.metadata.update(tags)
        stream: Any = container.add_stream("gif", rate=rate)
        stream.width, stream.height, stream.pix_fmt = spec.width, spec.height, "pal8"
        for index, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts, picture.time_base = index, 1 / rate
            source.push(picture)
        source.push(None)
        for picture in _pulled(sink):
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def _pulled(sink: Any) -> Iterator[av.VideoFrame]:
    while True:
        try:
            yield sink.pull()
        except (av.BlockingIOError, EOFError):
            return
