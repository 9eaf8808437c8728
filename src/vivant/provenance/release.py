"""The only way out: mark, encode, tag, sign, and publish a clip whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from vivant.files import (
    check_output,
    check_output_folder,
    listed,
    publish,
    publish_folder,
    sha256_of,
)
from vivant.media.ahead import made_ahead
from vivant.media.formats import Format
from vivant.media.write import CAPTURED, write_video
from vivant.provenance.credentials import (
    Statement,
    address_of,
    can_embed,
    sidecar_of,
    sign,
)
from vivant.provenance.keys import SigningKey
from vivant.provenance.policy import Policy, may_leave
from vivant.provenance.verify import SUMS, states_synthetic
from vivant.provenance.watermark.stamp import carrier_of, marked, stamped
from vivant.provenance.xmp import add_xmp, packet
from vivant.request import Hooks, Result, SourceType


@dataclass(frozen=True)
class Delivery:
    """Where and how a clip leaves: file (or folder) ``out`` in ``format``; ``lossless`` exact
    pixels; ``overwrite`` what is there; ``watermark`` False leaves the invisible mark out, which
    the record then says."""

    out: Path
    format: Format
    lossless: bool = False
    overwrite: bool = False
    watermark: bool = True

    @property
    def places(self) -> tuple[Path, ...]:
        """What is written: the file or the folder, and the manifest where that lies beside."""
        beside = bool(self.format.suffix) and not can_embed(self.out)
        return (self.out, sidecar_of(self.out)) if beside else (self.out,)

    def check(self) -> None:
        """Raises UsageError where the output exists, or cannot or must not be written."""
        if not self.format.suffix:
            check_output_folder(self.out, self.overwrite, SUMS)
            return
        for place in self.places:
            check_output(place, self.overwrite)


@dataclass(frozen=True)
class Published:
    """What was written: the file (or folder), its hash (of ``SHA256SUMS`` for a folder), the
    sidecar if the credentials lie beside it, and seconds by stage."""

    path: Path
    sha256: str
    sidecar: Path | None
    timings: dict[str, float]


@dataclass(frozen=True)
class _Release:
    """One publication under way."""

    result: Result
    delivery: Delivery
    statement: Statement
    certificate: SigningKey
    policy: Policy
    hooks: Hooks


def release(
    result: Result,
    delivery: Delivery,
    statement: Statement,
    certificate: SigningKey,
    policy: Policy = Policy(),  # noqa: B008 - frozen
    hooks: Hooks = Hooks(),  # noqa: B008 - frozen
) -> Published:
    """Render ``result`` into the output, marked and signed.

    A picture whose own credentials say that a model made it stays synthetic, whatever moved it.
    Raises UsageError where the output exists or cannot be written, PolicyError where the
    operator's hook says no, Cancelled; on any failure nothing is left behind.
    """
    delivery.check()
    path = statement.picture_path
    synthetic = path is not None and states_synthetic(path)
    statement = replace(
        statement,
        made=SourceType.SYNTHETIC if synthetic else statement.made,
        record=stamped(
            statement.record,
            result.plan.video,
            delivery.watermark,
            carrier_of(delivery.format, delivery.lossless),
        ),
    )
    work = _Release(result, delivery, statement, certificate, policy, hooks)
    return _file(work) if delivery.format.suffix else _folder(work)


def _tags(statement: Statement) -> dict[str, str]:
    captured = statement.picture.captured
    return {
        **({CAPTURED: captured} if captured else {}),
        "comment": statement.comment,
        "DigitalSourceType": address_of(statement.made),
        "encoder_software": f"vivant {statement.record['vivant']}",
    }


def _file(work: _Release) -> Published:
    """One file, signed inside or with its manifest beside it."""
    timings: dict[str, float] = {}
    out = work.delivery.out
    sidecar = None if can_embed(out) else sidecar_of(out)
    with ExitStack() as stack:
        # left in reverse order: a sidecar is in place before its clip appears
        final = stack.enter_context(publish(out, work.delivery.overwrite))
        if sidecar is None:
            plain = final.with_name(f".plain{final.name}")
            stack.callback(plain.unlink, missing_ok=True)
            signed = final
        else:
            plain = final
            signed = stack.enter_context(publish(sidecar, work.delivery.overwrite))
        timings["render_encode"] = _timed(lambda: _encode(work, plain))
        timings["sign"] = _timed(lambda: sign(plain, signed, work.statement, work.certificate))
    return Published(out, sha256_of(out), sidecar, timings)


def _folder(work: _Release) -> Published:
    """PNG frames with their hashes and a signed manifest over these."""
    timings: dict[str, float] = {}
    out = work.delivery.out
    sums = out / SUMS
    with publish_folder(out, work.delivery.overwrite, SUMS) as folder:
        timings["render_encode"] = _timed(lambda: _encode(work, folder))
        lines = [f"{sha256_of(p)}  {p.name}" for p in listed(folder, "*.png")]
        listing = folder / SUMS
        listing.write_text("\n".join(lines) + "\n", "utf-8")
        target = sidecar_of(listing)
        timings["sign"] = _timed(lambda: sign(listing, target, work.statement, work.certificate))
    return Published(out, sha256_of(sums), sidecar_of(sums), timings)


def _timed(work: Callable[[], None]) -> float:
    clock = time.monotonic()
    work()
    return time.monotonic() - clock


def _encode(work: _Release, path: Path) -> None:
    video, statement = work.result.plan.video, work.statement
    sound = work.result.sound() if work.delivery.format.sound else None
    with work.result.open() as frames, made_ahead(frames) as ahead:
        write_video(
            marked(ahead, video, statement.record),
            video,
            path,
            work.delivery.format,
            lossless=work.delivery.lossless,
            sound=sound,
            tags=_tags(statement),
            xmp=packet(address_of(statement.made)),
            progress=lambda share: work.hooks.report("rendering", share),
        )
    add_xmp(path, address_of(statement.made))
    may_leave(statement.record, work.policy)
