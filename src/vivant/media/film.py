"""Footage as cameras write it, made plain: upright, progressive, 8 bits, at one rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from vivant.clip import FilmInfo, Frame
from vivant.errors import MediaError, VivantError
from vivant.media.timing import exact_rate
from vivant.media.video import (
    ANIMATIONS,
    check_exists,
    decoded,
    iter_video,
    open_video,
    to_rgb,
)

UNEVEN = 0.6
"""Frames by which a frame may come off its time in footage of one rate."""
MOST_FPS = 240.0
PQ = 16
"""Transfer of HDR pictures (SMPTE ST 2084), by its number in ITU-T H.273."""


@dataclass(frozen=True)
class _Rate:
    """``fps`` frames a second; ``shown``: how often each coded frame is shown, in order."""

    fps: float
    shown: tuple[int, ...]
    even: bool


def film_info(path: Path) -> FilmInfo:
    """What a clip is once it is made plain.

    Raises UsageError where there is no such file, MediaError where it holds no moving picture or
    cannot be decoded.
    """
    check_exists(path)
    try:
        if path.suffix.lower() in ANIMATIONS:
            return _animation_info(path)
        with open_video(path) as container:
            return _info(path, container)
    except VivantError:
        raise
    except Exception as error:  # decoders raise more than their documented errors
        raise MediaError(f"{path} is not a video that can be read ({error}).") from error


def film_frames(path: Path) -> Iterator[Frame]:
    """The frames ``[H, W, 3]`` that `film_info` counts. Raises as it does."""
    check_exists(path)
    if path.suffix.lower() in ANIMATIONS:
        yield from iter_video(path)
        return
    try:
        with open_video(path) as container:
            yield from _frames(path, container)
    except (GeneratorExit, VivantError):
        raise
    except Exception as error:  # decoders raise more than their documented errors
        raise MediaError(f"{path} cannot be decoded ({error}).") from error


def _animation_info(path: Path) -> FilmInfo:
    frames = iter_video(path)
    height, width = next(frames).shape[:2]
    count = 1 + sum(1 for _ in frames)
    notes = ("The rate of an animation is not kept: 24 frames a second are taken.",)
    return FilmInfo(width, height, 24.0, count, path.suffix[1:].lower(), False, notes)


def _video(path: Path, container: Any) -> Any:
    """The first stream of moving pictures; a cover of a song is none."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    raise MediaError(f"{path} holds no moving picture, only sound or data; name a video.")


def _info(path: Path, container: Any) -> FilmInfo:
    stream = _video(path, container)
    rate = _rate_of(path, container, stream)
    container.seek(0)
    first = next(_progressive(path, container, stream))
    height, width = _upright(first).shape[:2]
    if first.color_trc == PQ:
        raise MediaError(f"{path} is HDR (PQ); bring it to SDR first, such as by ffmpeg's tonemap.")
    notes = []
    if not rate.even:
        notes.append(f"The frame rate varies; it is made {rate.fps:g} throughout.")
    if first.rotation:
        notes.append(f"The clip was filmed turned by {abs(first.rotation)} degrees; it is upright.")
    if first.interlaced_frame:
        notes.append("The clip is interlaced; its lines are joined to whole frames.")
    if any(part.bits > 8 for part in first.format.components):
        notes.append("The clip has more than 8 bits a colour; they are reduced to 8.")
    codec = stream.codec_context.name
    sound = bool(container.streams.audio)
    return FilmInfo(width, height, rate.fps, sum(rate.shown), codec, sound, tuple(notes))


def _rate_of(path: Path, container: Any, stream: Any) -> _Rate:
    """When frames are shown, from the packets' times; nothing is decoded."""
    packets = [p for p in container.demux(stream) if p.size]
    stated = [float(p.pts * p.time_base) for p in packets if p.pts is not None]
    times = np.array(sorted(stated)) - min(stated, default=0.0)
    guessed = float(stream.average_rate or stream.guessed_rate or 25)
    if len(stated) < len(packets) or len(times) < 2 or times[-1] <= 0:
        return _Rate(guessed, (1,) * max(1, len(packets)), True)
    fps = (len(times) - 1) / float(times[-1])
    if np.abs(times * fps - np.arange(len(times))).max() <= UNEVEN:
        return _Rate(float(exact_rate(round(fps, 3))), (1,) * len(times), True)
    fps = float(np.clip(round(1 / max(float(np.median(np.diff(times))), 1e-3), 2), 1, MOST_FPS))
    ticks = np.rint(times * fps).astype(int)
    shown = np.diff(ticks, append=ticks[-1] + 1)
    if int(shown.max()) > MOST_FPS * 10:
        raise MediaError(f"{path} stands still for over 10 s between two frames; cut it there.")
    return _Rate(fps, tuple(int(n) for n in shown), False)


def _frames(path: Path, container: Any) -> Iterator[Frame]:
    stream = _video(path, container)
    shown = _rate_of(path, container, stream).shown
    container.seek(0)
    shape = None
    for index, frame in enumerate(_progressive(path, container, stream)):
        pixels = _upright(frame)
        shape = shape or pixels.shape
        if pixels.shape != shape:
            raise MediaError(f"{path} changes its size midway; cut it there first.")
        for _ in range(shown[index] if index < len(shown) else 0):
            yield pixels


def _progressive(path: Path, container: Any, stream: Any) -> Iterator[Any]:
    """Progressive frames, in the order they are shown."""
    graph = None
    for frame in decoded(path, container, stream):
        if graph is None and not frame.interlaced_frame:
            yield frame
            continue
        graph = graph or _weaver(stream)
        graph.push(frame)
        yield from _pulled(graph)
    if graph is not None:
        graph.push(None)
        yield from _pulled(graph)


def _weaver(stream: Any) -> Any:
    """FFmpeg's deinterlacer, for the frames that are flagged, one frame for one frame."""
    graph = av.filter.Graph()
    graph.link_nodes(
        graph.add_buffer(template=stream),
        graph.add("bwdif", "mode=send_frame:deint=interlaced"),
        graph.add("buffersink"),
    ).configure()
    return graph


def _pulled(graph: Any) -> Iterator[Any]:
    while True:
        try:
            yield graph.pull()
        except (av.BlockingIOError, EOFError):
            return


def _upright(frame: Any) -> Frame:
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(to_rgb(frame), turns))
