"""``vivant animate`` and ``vivant render``: photographs become clips."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from vivant import job
from vivant.cli.options import ControlWords
from vivant.cli.outputs import STDOUT, OutputOptions, format_of, place_for
from vivant.cli.show import ask, print_json, progress_bars, say
from vivant.errors import UsageError, VivantError
from vivant.job import Done
from vivant.media.assets import FileAssets
from vivant.media.formats import Format, format_for
from vivant.provenance.credentials import can_embed
from vivant.provenance.keys import SigningKey, signing_key
from vivant.provenance.policy import Policy, policy_of
from vivant.registry import load, runtime_of
from vivant.request import Generator, Hooks, Keyframe, Plan, Request
from vivant.settings import Settings

MAX_SAMPLES = 64


@dataclass(frozen=True)
class ClipOptions:
    """What the clips shall be; None leaves it to the model and the format."""

    seconds: float = 4.0
    fps: float | None = None
    size: str | None = None
    seed: int = 0
    samples: int = 1
    model: str = "builtin"
    keyframes: tuple[str, ...] = ()
    last: Path | None = None


@dataclass(frozen=True)
class _Run:
    """What all clips of one command share."""

    clip: ClipOptions
    controls: ControlWords
    outputs: OutputOptions
    fmt: Format
    generator: Generator
    certificate: SigningKey
    policy: Policy


def animate(
    photos: list[Path],
    clip: ClipOptions,
    controls: ControlWords,
    outputs: OutputOptions,
    settings: Settings,
) -> int:
    """Animate each photograph ``samples`` times, with consecutive seeds; the exit code.

    One photograph that fails does not stop the others; with a single one its error is raised.
    """
    clock = time.monotonic()
    _check_counts(photos, clip, outputs)
    if outputs.out in STDOUT:
        return _piped(photos, clip, controls, outputs, settings)
    fmt = format_of(outputs, any(option.keyword == "layer" for option, _ in controls.said))
    with FileAssets() as assets:  # its decoder starts while the rest is made ready
        question = None if outputs.json else ask()
        asked = None if question is None else cache(question)  # once for all samples
        run = _Run(
            clip,
            controls,
            outputs,
            fmt,
            load(clip.model, runtime_of(settings)),
            signing_key(settings),
            policy_of(settings, outputs.consent, asked),
        )
        reports, code = [], 0
        for photo in photos:
            assets.local(photo)  # no clip may replace a picture whose turn comes later
        for photo in photos:
            try:
                reports.append(_one(run, photo, assets))
            except VivantError as error:
                if len(photos) == 1:
                    raise
                code = max(code, error.exit_code)
                say(f"vivant: {photo}: {error}")
                reports.append({"photo": str(photo), "error": str(error)})
    _finish(reports, outputs, time.monotonic() - clock)
    return code


def _piped(
    photos: list[Path],
    clip: ClipOptions,
    controls: ControlWords,
    outputs: OutputOptions,
    settings: Settings,
) -> int:
    """One clip to standard output: made whole beside, then copied."""
    fmt = format_for(None, outputs.format, outputs.lossless)
    if not can_embed(Path(f"clip{fmt.suffix}")):
        raise UsageError(
            f"{fmt.name} keeps its credentials in a file beside it, for which a pipe has no place;"
            " choose mp4, mov, gif, webp or avif."
        )
    if outputs.json or len(photos) > 1 or clip.samples > 1:
        raise UsageError("-o - takes one clip and nothing else; leave --json and --samples out.")
    with tempfile.TemporaryDirectory(prefix="vivant-") as folder:
        out = Path(folder) / f"clip{fmt.suffix}"
        animate(photos, clip, controls, replace(outputs, out=out, format=fmt.name), settings)
        with out.open("rb") as stream:
            shutil.copyfileobj(stream, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    return 0


def _check_counts(photos: list[Path], clip: ClipOptions, outputs: OutputOptions) -> None:
    if not 1 <= clip.samples <= MAX_SAMPLES:
        raise UsageError(f"--samples must be from 1 to {MAX_SAMPLES}, not {clip.samples}.")
    if clip.seed + clip.samples > 2**63:
        raise UsageError(
            f"--seed {clip.seed} with --samples {clip.samples} goes past the last seed, 2^63 - 1."
        )
    if len(photos) > 1 and clip.keyframes:
        raise UsageError(f"There are {len(photos)} pictures: --keyframe goes with one of them.")
    one_file = outputs.out is not None and not outputs.out.is_dir()
    saved = [outputs.save_field, outputs.save_scene, outputs.save_motion]
    if len(photos) > 1 and (one_file or any(path is not None for path in saved)):
        raise UsageError(
            f"There are {len(photos)} pictures: name an existing folder with -o, and leave"
            " --save-field, --save-scene and --save-motion out."
        )
    stems = [photo.stem for photo in photos]
    if outputs.overwrite and len(set(stems)) < len(stems):
        twice = next(stem for stem in stems if stems.count(stem) > 1)
        raise UsageError(
            f"Two of the pictures are called {twice}, and with --overwrite one clip would replace"
            " the other; leave it out, and they are numbered."
        )


def keyframe_of(text: str, assets: FileAssets) -> Keyframe:
    """``FILE@SECONDS`` as a key frame. Raises UsageError."""
    name, _, at = text.rpartition("@")
    try:
        seconds = float(at)
    except ValueError:
        name = ""
    if not name:
        raise UsageError(
            f"A key frame is FILE@SECONDS like later.jpg@2.5, not {text!r}; seconds count from the"
            " beginning of the clip."
        )
    return Keyframe(assets.add(Path(name), "picture"), seconds)


def _one(run: _Run, photo: Path, assets: FileAssets) -> dict[str, Any]:
    """All clips of one photograph."""
    clip = run.clip
    others = [keyframe_of(text, assets) for text in clip.keyframes]
    if clip.last is not None:
        others.append(Keyframe(assets.add(clip.last, "picture"), clip.seconds))
    request = Request(
        keyframes=(Keyframe(assets.add(photo, "picture")), *others),
        controls=run.controls.read(assets, run.generator.capabilities.controls),
        seconds=clip.seconds,
        fps=clip.fps,
        size=clip.size,
        seed=clip.seed,
        model=clip.model,
    )
    several = clip.samples > 1
    seeds = [clip.seed + k for k in range(clip.samples)]
    places = [place_for(photo, run.outputs, run.fmt, s if several else None) for s in seeds]
    done: list[tuple[int, Done]] = []
    with progress_bars(run.outputs.json) as progress:
        for seed, place in zip(seeds, places, strict=True):
            tell = Teller(run.outputs, quiet=bool(done))
            hooks = Hooks(progress, planned=tell)
            made = job.run(
                request.with_seed(seed),
                place.delivery,
                assets,
                run.generator,
                run.certificate,
                exports=place.exports,
                policy=run.policy,
                hooks=hooks,
            )
            tell.found(made.plan)
            done.append((seed, made))
    return _report(run, photo, request, done)


class Teller:
    """Says a plan before the work begins, and afterwards what was found out on the way; says
    nothing where the answer is JSON, or where the plan was said for another sample."""

    def __init__(self, outputs: OutputOptions, quiet: bool = False) -> None:
        self._silent = outputs.json or quiet
        self._notes: tuple[str, ...] = ()

    def __call__(self, plan: Plan) -> None:
        """Before the work."""
        video = plan.video
        self._say(
            f"plan: {video.count} frames of {video.width}x{video.height} at {video.fps:g} per"
            f" second, {video.seconds:.3g} s"
        )
        self.found(plan)

    def found(self, plan: Plan) -> None:
        """What was not said yet."""
        for note in plan.notes:
            if note not in self._notes:
                self._say(f"note: {note}")
        self._notes = plan.notes

    def _say(self, words: str) -> None:
        if not self._silent:
            say(words)


def _report(
    run: _Run, photo: Path, request: Request, done: list[tuple[int, Done]]
) -> dict[str, Any]:
    plan = done[0][1].plan
    image = request.keyframes[0].image
    return {
        "outputs": [_row(seed, made) for seed, made in done],
        "width": plan.video.width,
        "height": plan.video.height,
        "fps": plan.video.fps,
        "frames": plan.video.count,
        "model": asdict(run.generator.identity),
        "photo": str(photo),
        "picture": {"name": image.name, "sha256": image.sha256},
        "request": request.to_data(),
        "notes": list(plan.notes),
    }


def _row(seed: int, made: Done) -> dict[str, Any]:
    clip = made.clip
    return {
        "path": str(clip.path),
        "sha256": clip.sha256,
        "sidecar": None if clip.sidecar is None else str(clip.sidecar),
        "seed": seed,
        "timings": dict(made.timings),
        **{name: str(path) for name, path in made.exports.items()},
    }


def _finish(reports: list[dict[str, Any]], outputs: OutputOptions, seconds: float) -> None:
    if outputs.json:
        for report in reports:
            report["timings"] = {"total": seconds}
        print_json(reports[0] if len(reports) == 1 else reports)
        return
    for report in reports:
        for row in report.get("outputs", []):
            shape = f"{report['width']}x{report['height']}, {report['frames']} frames"
            say(f"{row['path']}  {shape}, seed {row['seed']}")
    say(f"{seconds:.1f} s")
