"""The only way out: mark, encode, tag, sign, and publish a clip whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from vivant.files import check_output, check_output_folder, publish, publish_folder, sha256_of
from vivant.media.formats import Format
from vivant.media.write import write_video
from vivant.provenance.credentials import (
    ALGORITHMIC,
    COMPOSITE,
    SYNTHETIC,
    Statement,
    can_embed,
    sidecar_of,
    sign,
)
from vivant.provenance.keys import signing_key
from vivant.provenance.policy import Decision, decide, may_leave
from vivant.provenance.record import recipe_of
from vivant.provenance.verify import SUMS, states_synthetic
from vivant.provenance.watermark.stamp import marked, stamped
from vivant.provenance.xmp import add_xmp, packet
from vivant.request import Progress, Request, Result, no_progress


@dataclass(frozen=True)
class Published:
    """What was written: the file (or folder), its hash (of ``SHA256SUMS`` for a folder), the
    sidecar if the credentials lie beside it, and seconds by stage."""

    path: Path
    sha256: str
    sidecar: Path | None
    timings: dict[str, float]


@dataclass(frozen=True)
class Job:
    """One publication under way."""

    result: Result
    out: Path
    fmt: Format
    statement: Statement
    lossless: bool
    share: Callable[[float], None]


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
    decision: Decision | None = None,
    watermark: bool = True,
    progress: Progress = no_progress,
) -> Published:
    """Render ``result`` into ``out``, marked and signed.

    ``picture_path`` is the input file, whose own credentials are kept; ``field_sha256`` names
    the field file that was rendered, None where a model sampled it. ``decision`` is the
    policy's on this request, made here without consent where it is None. ``watermark`` False
    leaves the invisible mark out, which the recipe then says. Raises UsageError where the output
    exists or cannot be written, or the mark is required; PolicyError where the policy says no;
    on any failure nothing is left behind.
    """
    if fmt.suffix:
        check_output(out, overwrite)
    else:
        check_output_folder(out, overwrite, SUMS)
    signing_key()  # a certificate that cannot sign is refused before any work
    decision = decision or decide(request.picture, picture_path)
    recipe = {**recipe_of(request, result, field_sha256), "policy": decision.record()}
    statement = Statement(
        source_type=_source_type(request, field_sha256, picture_path),
        recipe=stamped(recipe, result.spec, watermark),
        picture=request.picture,
        picture_path=picture_path,
    )
    job = Job(result, out, fmt, statement, lossless, lambda share: progress("rendering", share))
    return _file(job) if fmt.suffix else _folder(job, overwrite)


def _source_type(request: Request, field_sha256: str | None, path: Path | None) -> str:
    """IPTC's term: a picture that is synthetic already stays so; a photograph moved by a model
    is a composite; one moved by a given field, or not at all, is the renderer's work."""
    if path is not None and states_synthetic(path):
        return SYNTHETIC
    return COMPOSITE if field_sha256 is None and request.strength > 0 else ALGORITHMIC


def _tags(statement: Statement) -> dict[str, str]:
    return {
        "comment": "AI-generated: a still picture set in motion by vivant",
        "DigitalSourceType": statement.source_type,
        "encoder_software": f"vivant {statement.recipe['vivant']}",
    }


def _file(job: Job) -> Published:
    """One file, signed inside or with its manifest beside it."""
    timings: dict[str, float] = {}
    sidecar = None if can_embed(job.out) else sidecar_of(job.out)
    with ExitStack() as stack:
        # left in reverse order: a sidecar is in place before its clip appears
        final = stack.enter_context(publish(job.out))
        if sidecar is None:
            plain = final.with_name(f".plain{final.name}")
            stack.callback(plain.unlink, missing_ok=True)
            signed = final
        else:
            plain = final
            signed = stack.enter_context(publish(sidecar))
        timings["render_encode"] = _timed(lambda: _encode(job, plain))
        timings["sign"] = _timed(lambda: sign(plain, signed, job.statement))
    return Published(job.out, sha256_of(job.out), sidecar, timings)


def _folder(job: Job, overwrite: bool) -> Published:
    """PNG frames with their hashes and a signed manifest over these."""
    timings: dict[str, float] = {}
    sums = job.out / SUMS
    with publish_folder(job.out, overwrite, SUMS) as folder:
        timings["render_encode"] = _timed(lambda: _encode(job, folder))
        lines = [f"{sha256_of(p)}  {p.name}" for p in sorted(folder.glob("*.png"))]
        (folder / SUMS).write_text("\n".join(lines) + "\n", "utf-8")
        listed = folder / SUMS
        timings["sign"] = _timed(lambda: sign(listed, sidecar_of(listed), job.statement))
    return Published(job.out, sha256_of(sums), sidecar_of(sums), timings)


def _timed(work: Callable[[], None]) -> float:
    clock = time.monotonic()
    work()
    return time.monotonic() - clock


def _encode(job: Job, path: Path) -> None:
    frames = job.result.frames()
    try:
        write_video(
            marked(frames, job.result.spec, job.statement.recipe),
            job.result.spec,
            path,
            job.fmt,
            lossless=job.lossless,
            tags=_tags(job.statement),
            xmp=packet(job.statement.source_type),
            progress=job.share,
        )
    finally:
        frames.close()  # type: ignore[attr-defined] # a generator: free its memory on failure
    add_xmp(path, job.statement.source_type)
    may_leave(job.statement.recipe)
