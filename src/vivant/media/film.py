"""Footage as cameras write it, made plain: upright, progressive, 8-bit sRGB, at one rate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import Type

from vivant.clip import FilmInfo, Frame
from vivant.errors import MediaError, VivantError
from vivant.media.animation import is_animation
from vivant.media.colourspace import Space, by_cicp, to_srgb
from vivant.media.pace import pace_of
from vivant.media.video import (
    animation,
    check_exists,
    decoded,
    open_video,
    pictures_of,
    to_rgb,
)

HDR = (16, 18)
"""Transfers of HDR (PQ and HLG), by their numbers in ITU-T H.273."""
WIDE = (9, 11, 12)
"""Primaries of BT.2020 and P3, by theirs."""


def film_info(path: Path) -> FilmInfo:
    """What a clip is once it is made plain.

    Raises UsageError where there is no such file, MediaError where it holds no moving picture or
    cannot be decoded.
    """
    check_exists(path)
    try:
        if is_animation(path):
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
    try:
        animated = is_animation(path)
        shown = pace_of(path, animated).shown
        shape = None
        for index, pixels in enumerate(animation(path) if animated else _plain(path)):
            shape = shape or pixels.shape
            if pixels.shape != shape:
                raise MediaError(f"{path} changes its size midway; cut it there first.")
            for _ in range(shown[index] if index < len(shown) else 0):
                yield pixels
    except (GeneratorExit, VivantError):
        raise
    except Exception as error:  # decoders raise more than their documented errors
        raise MediaError(f"{path} cannot be decoded ({error}).") from error


def _animation_info(path: Path) -> FilmInfo:
    height, width = next(animation(path)).shape[:2]
    pace = pace_of(path, True)
    notes = () if pace.even or len(pace.shown) < 2 else (_varies(pace.fps),)
    codec = {b"G": "gif", b"R": "webp", b"\x89": "apng"}.get(path.read_bytes()[:1], "avif")
    return FilmInfo(width, height, pace.fps, sum(pace.shown), codec, False, notes)


def _varies(fps: float) -> str:
    return f"The frame rate varies; it is made {fps:g} throughout."


def _info(path: Path, container: Any) -> FilmInfo:
    stream = pictures_of(path, container)
    pace = pace_of(path, False)
    first = next(decoded(path, container, stream))
    height, width = _upright(first, None).shape[:2]
    notes = [] if pace.even else [_varies(pace.fps)]
    if first.rotation:
        notes.append(f"The clip was filmed turned by {abs(first.rotation)} degrees; it is upright.")
    if first.interlaced_frame:
        notes.append("The clip is interlaced; its lines are joined to whole frames.")
    space = _space(first)
    if space is not None and space.hdr:
        notes.append(f"The clip is HDR ({space.hdr}): its highlights are compressed.")
    elif any(part.bits > 8 for part in first.format.components):
        notes.append("The clip has more than 8 bits a colour; they are reduced to 8.")
    codec = stream.codec_context.name
    sound = bool(container.streams.audio)
    return FilmInfo(width, height, pace.fps, sum(pace.shown), codec, sound, tuple(notes))


def _plain(path: Path) -> Iterator[Frame]:
    with open_video(path) as container:
        stream, space = pictures_of(path, container), None
        for index, frame in enumerate(_progressive(path, container, stream)):
            space = _space(frame) if index == 0 else space
            yield _upright(frame, space)


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


def _space(frame: Any) -> Space | None:
    """The stated colours where they are HDR's or wider than the screen's; None for all others,
    which are meant for a common screen."""
    transfer, primaries = int(frame.color_trc), int(frame.color_primaries)
    if transfer in HDR:
        return by_cicp(9 if primaries not in WIDE else primaries, transfer)
    return by_cicp(primaries, 1) if primaries in WIDE else None


def _upright(frame: Any, space: Space | None) -> Frame:
    """The pixels as they are meant to be seen: in sRGB, turned, and mirrored where that is asked
    for."""
    if space is None:
        pixels = to_rgb(frame)
    else:
        pixels = to_srgb(np.asarray(frame.to_ndarray(format="rgb48le"), np.uint16), space)
    if _mirrored(frame):
        pixels = pixels[::-1]
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90) % 4))


def _mirrored(frame: Any) -> bool:
    """Whether the display matrix turns the picture over."""
    stated = frame.side_data.get(Type.DISPLAYMATRIX)
    if stated is None:
        return False
    matrix = np.frombuffer(bytes(stated), np.int32).astype(np.float64)
    return bool(matrix[0] * matrix[4] < matrix[1] * matrix[3])
