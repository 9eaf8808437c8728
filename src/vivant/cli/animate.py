"""``vivant animate`` and ``vivant render``: a photograph becomes a clip."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vivant.cli.inputs import ClipOptions, ControlOptions, read_request, with_seed
from vivant.cli.show import Progress, ask, print_json, progress_bars, say
from vivant.errors import UsageError
from vivant.field.file import load_field, save_field
from vivant.files import check_output, check_output_folder, sha256_of
from vivant.media.decoder import Decoder
from vivant.media.formats import Format, format_for
from vivant.provenance.keys import signing_key
from vivant.provenance.policy import Decision, decide
from vivant.provenance.release import release
from vivant.provenance.verify import SUMS
from vivant.registry import check_controls, spec_of
from vivant.request import ModelIdentity, Request, Result

MAX_SAMPLES = 64
EXPORTS = ("flow", "mask")


@dataclass(frozen=True)
class Outputs:
    """Where results go. ``save_field`` and ``export`` are extras of each sample."""

    out: Path | None = None
    format: str | None = None
    save_field: Path | None = None
    export: str | None = None
    flow_format: str = "flo"
    overwrite: bool = False
    json: bool = False
    consent: bool = False


@dataclass(frozen=True)
class Target:
    """The files of one sample."""

    clip: Path
    field: Path | None
    exports: Path | None


def animate(
    photo: Path,
    clip: ClipOptions,
    controls: ControlOptions,
    outputs: Outputs,
    model: str = "builtin",
    samples: int = 1,
) -> None:
    """Animate one photograph ``samples`` times, with consecutive seeds."""
    clock = time.monotonic()
    if not 1 <= samples <= MAX_SAMPLES:
        raise UsageError(f"--samples must be from 1 to {MAX_SAMPLES}, not {samples}.")
    spec = spec_of(model)
    fmt = format_for(outputs.out, outputs.format, clip.lossless)
    targets = [_target(photo, outputs, fmt, k if samples > 1 else None) for k in range(samples)]
    _check_targets(targets, fmt, outputs)
    with Decoder() as decoder:
        generator = spec.load(0)  # while the decoder starts
        request = read_request(photo, clip, controls, fmt, decoder)
    check_controls(spec, request)
    decision = _decide(request, photo, outputs)
    loaded = time.monotonic() - clock
    rows = []
    with progress_bars(outputs.json) as progress:
        for k, target in enumerate(targets):
            one = with_seed(request, request.seed + k)
            result = generator.generate(one, progress)
            rows.append(
                _publish(result, one, target, fmt, photo, clip, outputs, progress, decision)
            )
    total = time.monotonic() - clock
    _report(rows, request, asdict(generator.identity), outputs, {"load": loaded, "total": total})


def render_field(
    photo: Path, field_path: Path, clip: ClipOptions, controls: ControlOptions, outputs: Outputs
) -> None:
    """Render an existing (edited) field onto a photograph."""
    from vivant.motion.apply import apply_controls, guidance_for
    from vivant.motion.model import rendered

    clock = time.monotonic()
    field = load_field(field_path)
    fmt = format_for(outputs.out, outputs.format, clip.lossless)
    target = _target(photo, outputs, fmt, None)
    _check_targets([target], fmt, outputs)
    with Decoder() as decoder:
        request = read_request(photo, clip, controls, fmt, decoder)
    _check_aspect(field.grid, request, field_path)
    decision = _decide(request, photo, outputs)
    applied = apply_controls(field, guidance_for(request, field.grid), request)
    digest = sha256_of(field_path)
    identity = ModelIdentity(field.about.get("model", "field file"), "", digest)
    result = rendered(request, applied, identity, {})
    with progress_bars(outputs.json) as progress:
        row = _publish(
            result, request, target, fmt, photo, clip, outputs, progress, decision, digest
        )
    total = time.monotonic() - clock
    _report([row], request, {"field": str(field_path), "sha256": digest}, outputs, {"total": total})


def _decide(request: Request, photo: Path, outputs: Outputs) -> Decision:
    """The policy's answer before any work; a certificate that cannot sign is refused here too."""
    signing_key()
    facts = {"seconds": request.seconds, "size": list(request.picture.size)}
    prompt = None if outputs.json else ask()
    return decide(request.picture, photo, consent=outputs.consent, ask=prompt, facts=facts)


def _check_aspect(grid: tuple[int, int], request: Request, path: Path) -> None:
    width, height = request.picture.size
    mine, theirs = width / height, grid[1] / grid[0]
    if max(mine, theirs) / min(mine, theirs) > 1.1:
        raise UsageError(
            f"The field {path} was made for a picture of aspect {theirs:.2f}, this one has"
            f" {mine:.2f}; use the picture it was made for."
        )


def _target(photo: Path, outputs: Outputs, fmt: Format, number: int | None) -> Target:
    tail = "" if number is None else f"-{number + 1}"
    base = outputs.out or Path(photo.stem + (fmt.suffix or "-frames"))
    clip = base.with_name(f"{base.stem}{tail}{base.suffix or fmt.suffix}")
    field = outputs.save_field
    if field is not None and tail:
        field = field.with_name(f"{field.stem}{tail}{field.suffix}")
    exports = clip.with_name(f"{clip.stem}-export") if outputs.export else None
    return Target(clip, field, exports)


def _check_targets(targets: list[Target], fmt: Format, outputs: Outputs) -> None:
    """Refuse what cannot be written before any work is done."""
    for name in _exports(outputs):
        if name not in EXPORTS:
            raise UsageError(f"There is no export {name!r}; choose from {', '.join(EXPORTS)}.")
    for target in targets:
        files = [target.clip] if fmt.suffix else []
        files += [target.field] if target.field else []
        for path in files:
            check_output(path, outputs.overwrite)
        if not fmt.suffix:
            check_output_folder(target.clip, outputs.overwrite, SUMS)
        if target.exports is not None:
            check_output_folder(target.exports, outputs.overwrite)


def _exports(outputs: Outputs) -> tuple[str, ...]:
    return tuple(x.strip() for x in (outputs.export or "").split(",") if x.strip())


def _publish(
    result: Result,
    request: Request,
    target: Target,
    fmt: Format,
    photo: Path,
    clip: ClipOptions,
    outputs: Outputs,
    progress: Progress,
    decision: Decision,
    field_sha256: str | None = None,
) -> dict[str, Any]:
    published = release(
        result,
        request,
        target.clip,
        fmt,
        picture_path=photo,
        lossless=clip.lossless,
        overwrite=outputs.overwrite,
        field_sha256=field_sha256,
        decision=decision,
        watermark=clip.watermark,
        progress=progress,
    )
    row: dict[str, Any] = {
        "path": str(published.path),
        "sha256": published.sha256,
        "sidecar": None if published.sidecar is None else str(published.sidecar),
        "seed": request.seed,
        "timings": {**result.timings, **published.timings},
    }
    if target.field is not None and result.field is not None:
        save_field(target.field, result.field, overwrite=outputs.overwrite)
        row["field"] = str(target.field)
    if target.exports is not None and result.field is not None:
        from vivant.render.exports import export

        export(
            request,
            result.field,
            target.exports,
            _exports(outputs),
            flow_format=outputs.flow_format,
            overwrite=outputs.overwrite,
        )
        row["exports"] = str(target.exports)
    return row


def _report(
    rows: list[dict[str, Any]],
    request: Request,
    model: dict[str, Any],
    outputs: Outputs,
    timings: dict[str, float],
) -> None:
    spec = request.spec
    if outputs.json:
        print_json(
            {
                "outputs": rows,
                "width": spec.width,
                "height": spec.height,
                "fps": spec.fps,
                "frames": spec.count,
                "model": model,
                "picture": {"name": request.picture.name, "sha256": request.picture.sha256},
                "notes": list(request.picture.notes),
                "timings": timings,
            }
        )
        return
    for note in request.picture.notes:
        say(f"note: {note}")
    for row in rows:
        say(f"{row['path']}  {spec.width}x{spec.height}, {spec.count} frames, seed {row['seed']}")
    say(f"{timings['total']:.1f} s")
