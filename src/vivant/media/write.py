"""Frames to a video file. Only the release step may call this for what a user sees."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from PIL import ExifTags, Image

from vivant.clip import Frame, Sound, VideoSpec
from vivant.errors import MediaError
from vivant.media.colour import to_yuv420, to_yuv444
from vivant.media.formats import Format, check_size
from vivant.media.scheduling import is_real_time, leave_real_time
from vivant.media.timing import GIF_TICKS, delays, exact_rate, gif_frames
from vivant.media.video import url_of
from vivant.media.voice import Voice

BT709, SRGB, RGB = 1, 13, 0
LIMITED, FULL = 1, 2
MILLISECONDS = 1000
CAPTURED = "creation_time"
"""The tag that says when the picture was taken (ISO 8601)."""

Share = Callable[[float], None]


def write_video(
    frames: Iterable[Frame],
    spec: VideoSpec,
    path: Path,
    fmt: Format,
    *,
    lossless: bool = False,
    tags: Mapping[str, str] | None = None,
    xmp: bytes = b"",
    sound: Sound | None = None,
    progress: Share = lambda share: None,
) -> None:
    """Encode ``frames`` to ``path`` as it is named; the caller publishes it by rename.

    Frames are streamed, so memory does not grow with the duration. ``tags`` are written as
    container metadata where the container has a place for them (`CAPTURED` as its date, in WebP
    and AVIF by EXIF), the packet ``xmp`` in WebP and AVIF, ``sound`` where the format has an
    encoder for it. Raises UsageError for a size that the
    format does not take (`check_size`), MediaError where encoding fails.
    """
    check_size(fmt, (spec.width, spec.height))
    counted = _checked(frames, spec, progress)
    try:
        if fmt.encoder == "png":
            _write_pngs(counted, path)
        elif fmt.encoder == "pillow":
            _write_pillow(counted, spec, path, fmt, lossless, xmp, tags or {})
        elif fmt.encoder == "gif":
            _write_gif(counted, spec, path, tags or {})
        else:
            _write_av(counted, spec, path, fmt, tags or {}, sound)
    except (av.FFmpegError, cv2.error) as error:
        raise MediaError(f"The {fmt.name} encoder failed ({error}).") from error


def _checked(frames: Iterable[Frame], spec: VideoSpec, progress: Share) -> Iterator[Frame]:
    """Every frame must have the promised size: encoders misbehave when it changes."""
    shape = (spec.height, spec.width, 4 if spec.alpha else 3)
    for index, frame in enumerate(frames):
        if frame.shape != shape or frame.dtype != np.uint8:
            raise ValueError(f"frame {index} is {frame.dtype} {frame.shape}, not uint8 {shape}")
        yield frame
        progress((index + 1) / spec.count)


def _container_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags with the date in UTC. Where its zone is not known the clock is kept as it was."""
    out = dict(tags)
    if moment := out.pop(CAPTURED, ""):
        when = datetime.fromisoformat(moment)
        when = when.astimezone(timezone.utc) if when.tzinfo else when
        out[CAPTURED] = when.replace(tzinfo=None).isoformat() + "Z"
    return out


def _exif(tags: Mapping[str, str]) -> bytes:
    """EXIF with the date, b"" where there is none."""
    moment = tags.get(CAPTURED, "")
    if not moment:
        return b""
    when = datetime.fromisoformat(moment)
    exif = Image.Exif()
    details = {ExifTags.Base.DateTimeOriginal: when.strftime("%Y:%m:%d %H:%M:%S")}
    if when.tzinfo:
        details[ExifTags.Base.OffsetTimeOriginal] = moment[-6:]
    exif[ExifTags.IFD.Exif] = details
    return exif.tobytes()


def _write_av(
    frames: Iterator[Frame],
    spec: VideoSpec,
    path: Path,
    fmt: Format,
    tags: Mapping[str, str],
    sound: Sound | None,
) -> None:
    os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder prints banners otherwise
    quicktime = fmt.suffix in (".mp4", ".mov")
    movflags = {"movflags": "+faststart+use_metadata_tags"} if quicktime else {}
    rate = exact_rate(spec.fps)
    with av.open(url_of(path), "w", options=movflags) as container:
        container.metadata.update(_container_tags(tags))
        stream: Any = container.add_stream(fmt.encoder, rate=rate)
        stream.width, stream.height = spec.width, spec.height
        stream.pix_fmt, planar = _layout(fmt, spec.alpha)
        stream.options = dict(fmt.options) | (
            {"auto-alt-ref": "0"} if spec.alpha and fmt.halved else {}
        )
        stream.thread_type = "AUTO"
        _tag(stream.codec_context, planar)
        voice = None if sound is None or not fmt.sound else Voice(container, fmt.sound, sound)
        chosen = is_real_time()
        for index, frame in enumerate(frames):
            picture = _coded(frame, fmt)
            picture.pts = index
            picture.time_base = 1 / rate
            if voice is not None:
                voice.until(float((index + 1) / rate))
            container.mux(stream.encode(picture))
            if index == 0 and not chosen:  # the encoder has started its threads
                leave_real_time()
        container.mux(stream.encode(None))
        if voice is not None:
            voice.close(spec.seconds)


def _layout(fmt: Format, alpha: bool) -> tuple[str, bool]:
    """The encoder's pixel format, and whether it is Y, Cb, Cr."""
    if fmt.halved:
        return ("yuva420p" if alpha else "yuv420p"), True
    return ("yuva444p10le", True) if fmt.alpha else ("bgr0", False)


def _coded(frame: Frame, fmt: Format) -> av.VideoFrame:
    """A frame as the encoder takes it."""
    if frame.shape[2] == 4 or (fmt.alpha and not fmt.halved):
        return _alpha_frame(frame, fmt.halved)
    return _yuv_frame(frame) if fmt.halved else _rgb_frame(frame)


def _tag(target: Any, halved: bool = True) -> None:
    """State the colour space; encoders take it from the context, some from the frame."""
    target.color_primaries = BT709
    target.color_trc = BT709 if halved else SRGB
    target.colorspace = BT709 if halved else RGB
    target.color_range = LIMITED if halved else FULL


def _yuv_frame(frame: Frame) -> av.VideoFrame:
    picture = av.VideoFrame.from_ndarray(to_yuv420(frame), format="yuv420p")
    _tag(picture)
    return picture


def _alpha_frame(frame: Frame, halved: bool) -> av.VideoFrame:
    """Y, Cb, Cr and alpha: of 8 bits and half size, or of 10 bits."""
    height, width = frame.shape[:2]
    alpha = frame[..., 3] if frame.shape[2] == 4 else np.full((height, width), 255, np.uint8)
    colours = np.ascontiguousarray(frame[..., :3])
    if halved:
        flat, quarter = to_yuv420(colours).ravel(), height * width // 4
        ends = (height * width, height * width + quarter)
        y, cb, cr = flat[: ends[0]], flat[ends[0] : ends[1]], flat[ends[1] :]
        half = (height // 2, width // 2)
        planes = [y.reshape(height, width), cb.reshape(half), cr.reshape(half), alpha]
    else:
        planes = [*to_yuv444(colours), np.round(alpha * (1023 / 255)).astype(np.uint16)]
    picture = av.VideoFrame(width, height, "yuva420p" if halved else "yuva444p10le")
    for plane, values in zip(picture.planes, planes, strict=True):
        row = plane.line_size // values.itemsize
        wide = np.zeros((values.shape[0], row), values.dtype)
        wide[:, : values.shape[1]] = values
        plane.update(wide.tobytes())
    _tag(picture)
    return picture


def _rgb_frame(frame: Frame) -> av.VideoFrame:
    picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="bgr0")
    _tag(picture, halved=False)
    return picture


def _write_pngs(frames: Iterator[Frame], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for index, frame in enumerate(frames):
        order = cv2.COLOR_RGBA2BGRA if frame.shape[2] == 4 else cv2.COLOR_RGB2BGR
        ok, data = cv2.imencode(
            ".png", cv2.cvtColor(frame, order), [cv2.IMWRITE_PNG_COMPRESSION, 3]
        )
        if not ok:
            raise MediaError(f"Frame {index} could not be encoded as PNG.")
        (folder / f"frame_{index:05d}.png").write_bytes(data.tobytes())


def _write_pillow(
    frames: Iterator[Frame],
    spec: VideoSpec,
    path: Path,
    fmt: Format,
    lossless: bool,
    xmp: bytes,
    tags: Mapping[str, str],
) -> None:
    chosen = fmt.lossless_options if lossless else fmt.options
    options: dict[str, Any] = {name: int(value) for name, value in chosen}
    options |= {name: data for name, data in (("xmp", xmp), ("exif", _exif(tags))) if data}
    images = (Image.fromarray(frame) for frame in frames)
    next(images).save(
        path,
        fmt.name.upper(),
        save_all=True,
        append_images=images,
        duration=delays(spec.count, spec.fps, MILLISECONDS),
        loop=0,
        **options,
    )


def _write_gif(
    frames: Iterator[Frame], spec: VideoSpec, path: Path, tags: Mapping[str, str]
) -> None:
    """GIF with one palette made for the whole clip, through FFmpeg's palette filters."""
    shown = gif_frames(spec.count, spec.fps)
    graph, source, sink = _palette_graph(spec)
    options = {"loop": "0", "final_delay": str(shown[-1][1])}
    with av.open(url_of(path), "w", options=options) as container:
        container.metadata.update(tags)
        stream: Any = container.add_stream("gif", rate=GIF_TICKS)
        stream.width, stream.height, stream.pix_fmt = spec.width, spec.height, "pal8"
        waiting, time = list(reversed(shown)), 0
        for index, frame in enumerate(frames):
            while waiting and waiting[-1][0] == index:
                picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
                picture.pts, picture.time_base = time, Fraction(1, GIF_TICKS)
                source.push(picture)
                time += waiting.pop()[1]
        source.push(None)
        for picture in _pulled(sink):
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    del graph  # until here the filters were needed


def _palette_graph(spec: VideoSpec) -> tuple[Any, Any, Any]:
    """The filters, and where frames go in and come out with a palette (both die with the first)."""
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=spec.width, height=spec.height, format="rgb24", time_base=Fraction(1, GIF_TICKS)
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
    return graph, source, sink


def _pulled(sink: Any) -> Iterator[av.VideoFrame]:
    while True:
        try:
            yield sink.pull()
        except (av.BlockingIOError, EOFError):
            return
