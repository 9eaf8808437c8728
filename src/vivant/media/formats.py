"""The output formats: one table, nothing else decides how a name becomes a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vivant.errors import UsageError
from vivant.media.resize import MAX_SIDE


@dataclass(frozen=True)
class Format:
    """One way to write a clip.

    ``suffix`` with its dot ("" = a folder of files); ``encoder`` the FFmpeg encoder, or
    "pillow" / "png"; ``options`` its settings; ``halved`` whether colour is stored at half
    size (4:2:0), which needs even sides; ``lossless`` whether it can hold the exact pixels;
    ``lossless_options`` the settings that make it so; ``max_side`` and ``max_pixels`` of a frame
    that players can be trusted with; ``max_fps`` frames a second that the file can show;
    ``palette`` whether colours are a few of a list; ``alpha`` whether it keeps transparency;
    ``sound`` the encoder of sound, "" where the file holds none.
    """

    name: str
    suffix: str
    encoder: str
    options: tuple[tuple[str, str], ...] = ()
    halved: bool = False
    lossless: bool = False
    lossless_options: tuple[tuple[str, str], ...] = ()
    summary: str = ""
    max_side: int = MAX_SIDE
    max_pixels: int = MAX_SIDE * MAX_SIDE
    max_fps: float = 240.0
    palette: bool = False
    alpha: bool = False
    sound: str = ""

    def exact(self, lossless: bool) -> bool:
        """Whether a file holds the exact pixels, ``lossless`` being asked for or not."""
        return self.lossless and (lossless or not self.lossless_options)


_H264_LEVEL_52 = 36_864 * 16 * 16
"""Pixels of a frame (ITU-T H.264, A.3.1); televisions, phones and browsers decode no more."""
_AV1_LEVEL_6 = 35_651_584

_TABLE = (
    Format(
        "mp4",
        ".mp4",
        "libx264",
        (("crf", "18"), ("preset", "veryfast"), ("profile", "high")),
        halved=True,
        max_side=4096,
        max_pixels=_H264_LEVEL_52,
        sound="aac",
        summary="H.264, plays everywhere (default)",
    ),
    Format(
        "av1",
        ".mp4",
        "libsvtav1",
        (("crf", "28"), ("preset", "9")),
        halved=True,
        max_pixels=_AV1_LEVEL_6,
        sound="aac",
        summary="AV1 in MP4, half the size",
    ),
    Format(
        "mov",
        ".mov",
        "libx264",
        (("crf", "18"), ("preset", "veryfast"), ("profile", "high")),
        halved=True,
        max_side=4096,
        max_pixels=_H264_LEVEL_52,
        sound="aac",
        summary="H.264 in QuickTime, for editors",
    ),
    Format(
        "prores",
        ".mov",
        "prores_ks",
        (("profile", "4444"), ("vendor", "apl0"), ("alpha_bits", "16")),
        alpha=True,
        summary="ProRes 4444 in QuickTime, with transparency, for editors",
    ),
    Format(
        "webm",
        ".webm",
        "libvpx-vp9",
        (("crf", "26"), ("b", "0"), ("deadline", "realtime"), ("cpu-used", "6"), ("row-mt", "1")),
        halved=True,
        max_pixels=_AV1_LEVEL_6,
        alpha=True,
        sound="libopus",
        summary="VP9",
    ),
    Format(
        "mkv",
        ".mkv",
        "ffv1",
        (("level", "3"), ("slices", "16"), ("slicecrc", "1")),
        lossless=True,
        sound="flac",
        summary="FFV1, the lossless master",
    ),
    Format(
        "png",
        "",
        "png",
        lossless=True,
        alpha=True,
        summary="a folder of numbered PNG files, lossless",
    ),
    Format(
        "gif",
        ".gif",
        "gif",
        max_fps=50.0,
        palette=True,
        summary="256 colours; small sizes only",
    ),
    Format(
        "webp",
        ".webp",
        "pillow",
        (("quality", "85"), ("method", "2")),
        lossless=True,
        lossless_options=(("lossless", "1"), ("quality", "60"), ("method", "2")),
        alpha=True,
        summary="animated WebP",
    ),
    Format(
        "avif",
        ".avif",
        "pillow",
        (("quality", "75"), ("speed", "8")),
        max_pixels=_AV1_LEVEL_6,
        summary="animated AVIF",
    ),
)
FORMATS = {entry.name: entry for entry in _TABLE}
DEFAULT = FORMATS["mp4"]
LAYERS = "prores"
"""The format of a layer with its transparency where none is said."""


def format_for(path: Path | None, name: str | None, lossless: bool = False) -> Format:
    """The format called ``name``, else the one of the suffix of ``path``, else the default.

    Raises UsageError listing the known formats, or naming those that can be lossless.
    """
    known = ", ".join(FORMATS)
    if name is not None:
        if name not in FORMATS:
            raise UsageError(f"There is no format {name!r}; choose from {known}.")
        chosen = FORMATS[name]
    elif path is None or not path.suffix:
        chosen = FORMATS["mkv"] if lossless else DEFAULT
    else:
        by_suffix = {entry.suffix: entry for entry in reversed(_TABLE) if entry.suffix}
        if path.suffix.lower() not in by_suffix:
            raise UsageError(
                f"The ending {path.suffix} of {path.name} is not known; set --format: {known}."
            )
        chosen = by_suffix[path.suffix.lower()]
    if lossless and not chosen.lossless:
        able = ", ".join(entry.name for entry in _TABLE if entry.lossless)
        raise UsageError(
            f"{chosen.name} cannot hold the exact pixels; --lossless goes with {able}."
        )
    return chosen


def largest_size(fmt: Format, size: tuple[int, int]) -> tuple[int, int]:
    """The largest (width, height) of the aspect of ``size`` that the format takes, never above
    ``size``; even where colour is stored at half size."""
    width, height = size
    scale = min(1.0, fmt.max_side / max(size), (fmt.max_pixels / (width * height)) ** 0.5)
    step = 2 if fmt.halved else 1
    return max(2, int(width * scale) // step * step), max(2, int(height * scale) // step * step)


def check_size(fmt: Format, size: tuple[int, int]) -> None:
    """Raises UsageError for a size of frames that the format does not take, with one it does."""
    width, height = size
    wide, high = largest_size(fmt, size)
    if fmt.halved and (width % 2 or height % 2):
        raise UsageError(
            f"{fmt.name} needs even sides, not {width}x{height}; choose an even --size,"
            f" such as {wide}x{high}."
        )
    if (wide, high) != size:
        raise UsageError(
            f"{width}x{height} is too large for {fmt.name}, which is played everywhere up to"
            f" {fmt.max_side} pixels a side and {fmt.max_pixels / 1e6:.3g} megapixels; choose"
            f" --size {wide}x{high}, or --format mkv."
        )
