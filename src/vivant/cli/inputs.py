"""From options to a request: pictures, masks, sizes, controls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from vivant.clip import Picture
from vivant.controls.parse import parse_camera, parse_stroke, read_strokes
from vivant.controls.types import Controls, Mask, Stroke
from vivant.errors import UsageError
from vivant.media.decoder import Decoder
from vivant.media.formats import Format
from vivant.media.resize import fit, fit_plane, parse_size
from vivant.request import Request

DEFAULT_SHORT = 720
GIF_SHORT, GIF_FPS = 360, 15.0
DEFAULT_FPS = 24.0


@dataclass(frozen=True)
class ControlOptions:
    """Controls as given on the command line."""

    still: Path | None = None
    move: Path | None = None
    strokes: tuple[str, ...] = ()
    strokes_file: Path | None = None
    camera: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClipOptions:
    """What the clip shall be; None where the default depends on the format."""

    seconds: float = 4.0
    fps: float | None = None
    size: str | None = None
    loop: bool = False
    strength: float = 1.0
    seed: int = 0
    lossless: bool = False
    watermark: bool = True


def read_request(
    photo: Path, clip: ClipOptions, controls: ControlOptions, fmt: Format, decoder: Decoder
) -> Request:
    """Read everything a request needs, with the picture at the size of the frames.

    Masks must have the size of the photograph as it is on disk (upright).
    """
    source = decoder.picture(photo)
    size = frame_size(source, clip.size, fmt, clip.lossless)
    given = Controls(
        still=_mask(controls.still, "still", source, size, decoder),
        move=_mask(controls.move, "move", source, size, decoder),
        strokes=_strokes(controls),
        camera=parse_camera(list(controls.camera)),
    )
    fps = clip.fps if clip.fps is not None else (GIF_FPS if fmt.name == "gif" else DEFAULT_FPS)
    return Request(
        picture=fit(source, size),
        seconds=clip.seconds,
        fps=fps,
        loop=clip.loop,
        strength=clip.strength,
        seed=clip.seed,
        controls=given,
    )


def frame_size(
    picture: Picture, text: str | None, fmt: Format, lossless: bool = False
) -> tuple[int, int]:
    """The size of the frames: as asked, else 720p, never enlarged; the picture's own for a
    lossless master, 360p for GIF; made even where the format needs it."""
    short = min(picture.size)
    if text is not None:
        size = parse_size(text, picture.size)
    elif fmt.lossless and (lossless or fmt.name in ("mkv", "png")):
        size = picture.size
    else:
        most = GIF_SHORT if fmt.name == "gif" else DEFAULT_SHORT
        size = picture.size if short <= most else parse_size(f"{most}p", picture.size)
    if fmt.halved:
        size = (size[0] - size[0] % 2, size[1] - size[1] % 2)
    return size


def _mask(
    path: Path | None, name: str, source: Picture, size: tuple[int, int], decoder: Decoder
) -> Mask | None:
    if path is None:
        return None
    mask = decoder.mask(path)
    if mask.shape[::-1] != source.size:
        raise UsageError(
            f"The --{name} mask {path} is {mask.shape[1]}x{mask.shape[0]} but the picture is"
            f" {source.size[0]}x{source.size[1]}; make them the same size."
        )
    return fit_plane(mask, size)


def _strokes(controls: ControlOptions) -> tuple[Stroke, ...]:
    drawn = tuple(parse_stroke(text) for text in controls.strokes)
    if controls.strokes_file is not None:
        drawn += read_strokes(controls.strokes_file)
    return drawn


def with_seed(request: Request, seed: int) -> Request:
    """The same request with another seed."""
    return replace(request, seed=seed)
