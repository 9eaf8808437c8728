"""The output formats: one table, nothing else decides how a name becomes a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vivant.errors import UsageError


@dataclass(frozen=True)
class Format:
    """One way to write a clip.

    ``suffix`` with its dot ("" = a folder of files); ``encoder`` the FFmpeg encoder, or
    "pillow" / "png"; ``options`` its settings; ``halved`` whether colour is stored at half
    size (4:2:0), which needs even sides; ``lossless`` whether it can hold the exact pixels;
    ``lossless_options`` the settings that make it so.
    """

    name: str
    suffix: str
    encoder: str
    options: tuple[tuple[str, str], ...] = ()
    halved: bool = False
    lossless: bool = False
    lossless_options: tuple[tuple[str, str], ...] = ()
    summary: str = ""


_TABLE = (
    Format(
        "mp4",
        ".mp4",
        "libx264",
        (("crf", "18"), ("preset", "veryfast"), ("profile", "high")),
        halved=True,
        summary="H.264, plays everywhere (default)",
    ),
    Format(
        "av1",
        ".mp4",
        "libsvtav1",
        (("crf", "28"), ("preset", "9")),
        halved=True,
        summary="AV1 in MP4, half the size",
    ),
    Format(
        "mov",
        ".mov",
        "libx264",
        (("crf", "18"), ("preset", "veryfast"), ("profile", "high")),
        halved=True,
        summary="H.264 in QuickTime, for editors",
    ),
    Format(
        "webm",
        ".webm",
        "libvpx-vp9",
        (("crf", "26"), ("b", "0"), ("deadline", "realtime"), ("cpu-used", "6"), ("row-mt", "1")),
        halved=True,
        summary="VP9",
    ),
    Format(
        "mkv",
        ".mkv",
        "ffv1",
        (("level", "3"), ("slices", "16"), ("slicecrc", "1")),
        lossless=True,
        summary="FFV1, the lossless master",
    ),
    Format("png", "", "png", lossless=True, summary="a folder of numbered PNG files, lossless"),
    Format("gif", ".gif", "gif", summary="256 colours; small sizes only"),
    Format(
        "webp",
        ".webp",
        "pillow",
        (("quality", "85"), ("method", "2")),
        lossless=True,
        lossless_options=(("lossless", "1"), ("quality", "60"), ("method", "2")),
        summary="animated WebP",
    ),
    Format("avif", ".avif", "pillow", (("quality", "75"), ("speed", "8")), summary="animated AVIF"),
)
FORMATS = {entry.name: entry for entry in _TABLE}
DEFAULT = FORMATS["mp4"]


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
