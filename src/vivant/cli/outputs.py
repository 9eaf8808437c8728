"""Where the files of a run go: names, numbers, formats."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vivant.errors import UsageError
from vivant.job import Export
from vivant.media.formats import FORMATS, LAYERS, Format, format_for
from vivant.provenance.release import Delivery

LONGEST_NAME = 255
"""Bytes of a file's name that file systems take."""
ROOM = 40
"""Bytes left for endings, numbers and sidecars."""
STDOUT = (Path("-"), Path("/dev/stdout"))


@dataclass(frozen=True)
class OutputOptions:
    """What was asked of the output. ``save_field``, ``save_scene``, ``save_motion`` and ``export``
    are extras of each clip."""

    out: Path | None = None
    format: str | None = None
    lossless: bool = False
    watermark: bool = True
    save_field: Path | None = None
    save_scene: Path | None = None
    save_motion: Path | None = None
    export: str | None = None
    flow_format: str | None = None
    overwrite: bool = False
    json: bool = False
    consent: bool = False


@dataclass(frozen=True)
class Place:
    """The files of one clip."""

    delivery: Delivery
    exports: tuple[Export, ...]


def format_of(options: OutputOptions, layered: bool = False) -> Format:
    """The format that ``--format`` or the ending of ``--out`` names; a ``layered`` clip, which is
    one layer with its transparency, is ProRes where it may be.

    Raises UsageError where the two contradict.
    """
    out = options.out
    if out is not None and (out.is_dir() or (options.format and not _ending(out))):
        out = None
    name = options.format
    if layered and name is None and (out is None or _ending(out) in ("", FORMATS[LAYERS].suffix)):
        name = LAYERS
    chosen = format_for(out, name, options.lossless)
    if out is not None and options.format is not None and _ending(out) != chosen.suffix:
        kind = f"ends in {chosen.suffix}" if chosen.suffix else "is a folder of files"
        raise UsageError(
            f"--format {options.format} and the output {out} contradict each other: {chosen.name}"
            f" {kind}; leave one of them out."
        )
    return chosen


def _ending(path: Path) -> str:
    """The ending that a format is known by, "" for any other."""
    suffix = path.suffix.lower()
    return suffix if suffix in {fmt.suffix for fmt in FORMATS.values()} else ""


def place_for(photo: Path, options: OutputOptions, fmt: Format, seed: int | None) -> Place:
    """Where the clip of ``photo`` goes; ``seed`` is part of the name where there are several.

    Without ``--out``, or with a folder as ``--out``, the name is the photograph's and gets a
    number where it is taken.
    """
    tail = "" if seed is None else f"-seed{seed}"
    out = options.out
    if out in STDOUT:
        raise UsageError("Only `vivant animate` and `render` write to a pipe (-o -); name a file.")
    if out is not None and out.exists() and not (out.is_file() or out.is_dir()):
        raise UsageError(f"The output {out} is a device or a pipe; name a file, or - for a pipe.")
    if out is None or out.is_dir():
        stem = _short(photo.stem if str(photo) not in ("-", "/dev/stdin") else "clip")
        ending = fmt.suffix or "-frames"
        wished = (out or Path()) / f"{stem}{tail}{ending}"
        clip = wished if options.overwrite else free_name(wished, fmt.suffix)
    else:
        stem, ending = (out.stem, out.suffix) if _ending(out) else (out.name, fmt.suffix)
        clip = out.with_name(f"{stem}{tail}{ending}")
    delivery = Delivery(clip, fmt, options.lossless, options.overwrite, options.watermark)
    return Place(delivery, _exports(clip, options, tail, fmt))


def _exports(clip: Path, options: OutputOptions, tail: str, fmt: Format) -> tuple[Export, ...]:
    exports = []
    if options.flow_format is not None and "flow" not in (options.export or ""):
        raise UsageError("--flow-format goes with --export flow; add it, or leave both out.")
    extras = {
        "field": options.save_field,
        "scene": options.save_scene,
        "motion": options.save_motion,
    }
    for name, path in extras.items():
        if path is not None:
            exports.append(Export(name, path.with_name(f"{path.stem}{tail}{path.suffix}")))
    if options.export is not None:
        parts = tuple(part.strip() for part in options.export.split(",") if part.strip())
        if not parts:
            raise UsageError("--export names nothing; write flow, mask or flow,mask.")
        flow = f"flow:{options.flow_format or 'flo'}"
        named = tuple(_part(part, flow, clip, fmt) for part in parts)
        tracks = tuple(part for part in named if part.startswith("tracks:"))
        truth = tuple(part for part in named if part not in tracks)
        for name, own, word in (("truth", truth, "export"), ("tracks", tracks, "tracks")):
            if own:
                exports.append(Export(name, clip.with_name(f"{clip.stem}-{word}"), own))
    return tuple(exports)


def _part(part: str, flow: str, clip: Path, fmt: Format) -> str:
    """A part of the truth as a model knows it."""
    if part != "nerfstudio":
        return flow if part == "flow" else part
    if fmt.suffix:
        raise UsageError("--export nerfstudio refers to the frames of the clip: add --format png.")
    return f"nerfstudio=../{clip.name}"


def _short(stem: str) -> str:
    """As much of a name as leaves room for what is added to it."""
    return stem.encode("utf-8", "surrogateescape")[: LONGEST_NAME - ROOM].decode(
        "utf-8", "ignore" if stem.isprintable() else "surrogateescape"
    )


def free_name(path: Path, suffix: str) -> Path:
    """``path``, or with the first number that is not taken: photo.mp4, photo-2.mp4, ..."""
    number, found = 1, path
    stem = path.name[: -len(suffix)] if suffix else path.name
    while found.exists() or found.is_symlink():
        number += 1
        found = path.with_name(f"{stem}-{number}{suffix}")
    return found
