"""The only way out: encode, tag, sign, and publish a clip whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vivant.clip import VideoSpec
from vivant.errors import UsageError
from vivant.files import check_output, publish, sha256_of, sync_folder, temporary_folder
from vivant.media.formats import Format
from vivant.media.write import write_video
from vivant.provenance.credentials import (
    ALGORITHMIC,
    COMPOSITE,
    Statement,
    can_embed,
    sidecar_of,
    sign,
)
from vivant.provenance.recipe import recipe_of
from vivant.provenance.xmp import append_xmp
from vivant.request import Progress, Request, Result, no_progress

SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Published:
    """What was written: the file (or folder), its hash (of ``SHA256SUMS`` for a folder), the
    sidecar if the credentials lie beside it, and seconds by stage."""

    path: Path
    sha256: str
    sidecar: Path | None
    timings: dict[str, float]


def release(
    result: Result,
    request: Request,
    out: Path,
    fmt: Format,
    *,
    picture_path: Path | None = None,
    lossless: bool = False,
    overwrite: bool = False,
    field_sha256: str | None = None,
    progress: Progress = no_progress,
) -> Published:
    """Render ``result`` into ``out``, signed.

    ``picture_path`` is the input file, whose own credentials are kept; ``field_sha256`` names
    the field file that was rendered, None where a model sampled it. Raises UsageError where
    the output exists or cannot be written; on any failure nothing is left behind.
    """
    if fmt.suffix:
        check_output(out, overwrite)
    else:
        _check_folder(out, overwrite)
    learned = field_sha256 is None and request.strength > 0
    statement = Statement(
        source_type=COMPOSITE if learned else ALGORITHMIC,
        recipe=recipe_of(request, result, field_sha256),
        picture=request.picture,
        picture_path=picture_path,
    )
    write = _file if fmt.suffix else _folder
    return write(result, out, fmt, statement, lossless, lambda share: progress("rendering", share))


def _tags(statement: Statement) -> dict[str, str]:
    return {
        "comment": "AI-generated: a still picture set in motion by vivant",
        "DigitalSourceType": statement.source_type,
        "encoder_software": f"vivant {statement.recipe['vivant']}",
    }


Share = Callable[[float], None]


def _file(
    result: Result, out: Path, fmt: Format, statement: Statement, lossless: bool, share: Share
) -> Published:
    clock = time.monotonic()
    timings: dict[str, float] = {}
    embeds = can_embed(out)
    sidecar = None if embeds else sidecar_of(out)
    with ExitStack() as stack:
        # left in reverse order: the clip appears after its sidecar
        if sidecar is not None:
            signed = None
            final = stack.enter_context(publish(out))
            beside = stack.enter_context(publish(sidecar))
            plain = final
        else:
            signed = stack.enter_context(publish(out))
            plain = signed.with_name(f".plain{signed.name}")
            stack.callback(plain.unlink, missing_ok=True)
        frames = result.frames()
        stack.callback(_close, frames)
        _encode(frames, result.spec, plain, fmt, lossless, statement, share)
        timings["render_encode"] = time.monotonic() - clock
        clock = time.monotonic()
        sign(plain, beside if signed is None else signed, statement)
        timings["sign"] = time.monotonic() - clock
    return Published(out, sha256_of(out), sidecar, timings)


def _encode(
    frames: Any,
    spec: VideoSpec,
    path: Path,
    fmt: Format,
    lossless: bool,
    statement: Statement,
    share: Share,
) -> None:
    write_video(
        frames, spec, path, fmt, lossless=lossless, tags=_tags(statement), progress=share
    )
    if fmt.suffix == ".mp4":
        append_xmp(path, statement.source_type)


def _close(frames: Any) -> None:
    close = getattr(frames, "close", None)
    if close is not None:
        close()


def _check_folder(out: Path, overwrite: bool) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(f"The output {out} is a file; frames are written into a folder.")
    if out.exists() and any(out.iterdir()):
        if not overwrite:
            raise UsageError(f"The folder {out} exists already; pass --overwrite to replace it.")
        if not (out / SUMS).is_file():
            raise UsageError(f"The folder {out} was not written by vivant and is not replaced.")
    if not out.parent.is_dir():
        raise UsageError(f"The folder {out.parent} does not exist; create it or choose another.")


def _folder(
    result: Result, out: Path, fmt: Format, statement: Statement, lossless: bool, share: Share
) -> Published:
    """PNG frames with their hashes and a signed manifest over these, renamed into place."""
    clock = time.monotonic()
    timings: dict[str, float] = {}
    with temporary_folder(out) as folder:
        _encode(result.frames(), result.spec, folder, fmt, lossless, statement, share)
        timings["render_encode"] = time.monotonic() - clock
        clock = time.monotonic()
        sums = folder / SUMS
        lines = [f"{sha256_of(p)}  {p.name}" for p in sorted(folder.glob("*.png"))]
        sums.write_text("\n".join(lines) + "\n", "utf-8")
        sign(sums, sidecar_of(sums), statement)
        timings["sign"] = time.monotonic() - clock
        if out.is_dir():
            shutil.rmtree(out)
        folder.rename(out)
    sync_folder(out.parent)
    digest = hashlib.sha256((out / SUMS).read_bytes()).hexdigest()
    return Published(out, digest, sidecar_of(out / SUMS), timings)
