"""The commands that take several pictures or footage: each is one edit, run as every job is."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from vivant import job
from vivant.cli.animate import Teller
from vivant.cli.options import (
    Consent,
    FormatName,
    Fps,
    Json,
    NoWatermark,
    Out,
    Overwrite,
    Seed,
    Size,
)
from vivant.cli.outputs import OutputOptions, format_of, place_for
from vivant.cli.show import ask, print_json, progress_bars, say
from vivant.controls.camera import parse_camera
from vivant.controls.edits import Between, Clean, Extend, Freeze, Looped, Retime, Stir
from vivant.controls.entry import Control
from vivant.controls.finish import SteadyColour
from vivant.controls.kinds import parse_hold
from vivant.controls.light import parse_light
from vivant.controls.transition import Transition
from vivant.errors import UsageError
from vivant.media.assets import FileAssets
from vivant.provenance.keys import signing_key
from vivant.provenance.policy import policy_of
from vivant.registry import editor, load, runtime_of
from vivant.request import Generator, Hooks, Keyframe, Request
from vivant.settings import Settings, read_settings

CODECS = {"av1": "av1", "libdav1d": "av1", "vp9": "webm", "vp8": "webm", "ffv1": "mkv",
          "gif": "gif", "webp": "webp", "avif": "avif"}  # fmt: skip
"""By a clip's codec, the format that keeps it; H.264 and all others become mp4 (or mov)."""

Clip = Annotated[Path, typer.Argument(help="The clip.", show_default=False)]
ClipSize = Annotated[str | None, typer.Option("--size", help="1280x720 or 720p (default its own).")]


@dataclass(frozen=True)
class Asked:
    """What a command asks for: of which file, ``first`` of all, by what request, of which model."""

    first: Path
    request: Callable[[FileAssets], Request]
    generator: Callable[[Settings], Generator] = editor


def _outputs(
    out: Out = None,
    format_: FormatName = None,
    no_watermark: NoWatermark = False,
    overwrite: Overwrite = False,
    json: Json = False,
    consent: Consent = False,
) -> OutputOptions:
    """The options that all of the commands share."""
    return OutputOptions(
        out, format_, watermark=not no_watermark, overwrite=overwrite, json=json, consent=consent
    )


def _command(ask_for: Callable[..., Asked]) -> Callable[..., None]:
    """A command of its own options and those of `_outputs`."""
    own, shared = (inspect.signature(one, eval_str=True) for one in (ask_for, _outputs))

    @functools.wraps(ask_for)
    def command(**values: Any) -> None:
        outputs = _outputs(**{name: values.pop(name) for name in shared.parameters})
        _run(ask_for(**values), outputs)

    parameters = [*own.parameters.values(), *shared.parameters.values()]
    command.__signature__ = own.replace(  # type: ignore[attr-defined]
        parameters=[p.replace(kind=p.KEYWORD_ONLY) for p in parameters], return_annotation=None
    )
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


@_command
def between(
    pictures: Annotated[
        list[Path], typer.Argument(help="Pictures of one scene, in order.", show_default=False)
    ],
    seconds: Annotated[float, typer.Option(help="From each picture to the next.")] = 1.0,
    fps: Fps = None,
    size: Size = None,
    dissolve: Annotated[
        bool, typer.Option("--dissolve", help="Cross-fade pictures of different scenes.")
    ] = False,
    alive: Annotated[
        bool, typer.Option("--alive", help="Water, leaves and flames go on by themselves.")
    ] = False,
) -> Asked:
    """Make one clip through several pictures of a scene."""

    def ask_for(assets: FileAssets) -> Request:
        frames = tuple(
            Keyframe(assets.add(path, "picture"), seconds * index)
            for index, path in enumerate(pictures)
        )
        length = seconds * max(1, len(pictures) - 1)
        if alive:  # as `vivant animate --keyframe` does
            return Request(frames, (Transition(),) if dissolve else (), length, fps, size)
        return Request(frames, (Between(dissolve),), length, fps, size, model="footage")

    return Asked(pictures[0], ask_for, _built_in if alive else editor)


@_command
def retime(
    clip: Clip,
    speed: Annotated[float, typer.Option(help="1 as it was, 0.25 four times slower.")] = 1.0,
    fps: Fps = None,
    size: ClipSize = None,
) -> Asked:
    """Play footage slower, faster, or at another frame rate."""
    if speed == 1.0 and fps is None:
        raise UsageError("Say what shall change: --speed 0.25, or --fps 60.")

    def ask_for(assets: FileAssets) -> Request:
        return _edited(assets, clip, Retime(speed), fps=fps, size=size)

    return Asked(clip, ask_for)


@_command
def clean(
    clip: Clip,
    picture: Annotated[Path, typer.Option(help="What the clip was made from.")],
    steady_colour: Annotated[
        bool, typer.Option("--steady-colour", help="Take out the drift of its colours.")
    ] = False,
    size: ClipSize = None,
) -> Asked:
    """Make a model's clip begin with its picture, exactly."""

    def ask_for(assets: FileAssets) -> Request:
        frames = (Keyframe(assets.add(clip, "clip")), Keyframe(assets.add(picture, "picture")))
        controls = (Clean(), SteadyColour()) if steady_colour else (Clean(),)
        return Request(frames, controls, size=size, model="footage")

    return Asked(clip, ask_for)


@_command
def loop(
    clip: Clip,
    seconds: Annotated[
        float | None, typer.Option(help="About how long; as long as it closes well if left out.")
    ] = None,
    back: Annotated[
        bool | None,
        typer.Option(
            "--back/--no-back", help="Forth and back; left out: where nothing looks alike again."
        ),
    ] = None,
    size: ClipSize = None,
) -> Asked:
    """Make footage a loop without a seam."""

    def ask_for(assets: FileAssets) -> Request:
        return _edited(assets, clip, Looped(seconds, back), size=size)

    return Asked(clip, ask_for)


@_command
def freeze(
    clip: Clip,
    hold: Annotated[
        list[str] | None,
        typer.Option(help="A kind (being, built, ...) or a mask; repeatable.", metavar="KIND|FILE"),
    ] = None,
    size: ClipSize = None,
) -> Asked:
    """Hold parts of footage as they are in its first frame; the rest goes on."""

    def ask_for(assets: FileAssets) -> Request:
        held = tuple(control for text in hold or () for control in parse_hold(text, assets))
        return _edited(assets, clip, Freeze(), *held, size=size)

    return Asked(clip, ask_for)


@_command
def extend(
    clip: Clip,
    seconds: Annotated[float, typer.Option(help="How much is made up.")] = 4.0,
    before: Annotated[bool, typer.Option("--before", help="Before the clip, not after.")] = False,
    model: Annotated[
        str | None,
        typer.Option(help="A model that goes on from its last frame, in place of the built-in."),
    ] = None,
    seed: Seed = 0,
    size: ClipSize = None,
) -> Asked:
    """Let footage go on: its motion, scene and light."""

    def ask_for(assets: FileAssets) -> Request:
        asked = _edited(assets, clip, Extend(seconds, before), size=size, seed=seed)
        return asked if model is None else replace(asked, model=model)

    def chosen(settings: Settings) -> Generator:
        return editor(settings) if model is None else load(model, runtime_of(settings))

    return Asked(clip, ask_for, chosen)


@_command
def stir(
    clip: Clip,
    camera: Annotated[
        list[str] | None,
        typer.Option(
            help='"truck-right 4%", "push-in 10%", orbit, ...; repeatable.', metavar="MOVE"
        ),
    ] = None,
    light: Annotated[
        list[str] | None,
        typer.Option(help='"sun left", dusk, "clouds right", ...; repeatable.', metavar="CHANGE"),
    ] = None,
    size: ClipSize = None,
) -> Asked:
    """Move a camera through footage whose own camera stood, or change its light."""

    def ask_for(assets: FileAssets) -> Request:
        moves = tuple(parse_camera(text) for text in camera or ())
        lights = (control for text in light or () for control in parse_light(text, assets))
        return _edited(assets, clip, Stir(), *moves, *lights, size=size)

    return Asked(clip, ask_for)


COMMANDS: tuple[Callable[..., None], ...] = (
    between,
    retime,
    clean,
    loop,
    freeze,
    extend,
    stir,
)


def _edited(
    assets: FileAssets,
    clip: Path,
    *controls: Control,
    size: str | None,
    fps: float | None = None,
    seed: int = 0,
) -> Request:
    """The request for an edit of one clip."""
    frames = (Keyframe(assets.add(clip, "clip")),)
    return Request(frames, controls, fps=fps, size=size, seed=seed, model="footage")


def _built_in(settings: Settings) -> Generator:
    return load("builtin", runtime_of(settings))


def _run(asked: Asked, outputs: OutputOptions) -> None:
    clock, settings = time.monotonic(), read_settings()
    with FileAssets() as assets:
        request = asked.request(assets)
        outputs = _kept(asked.first, outputs, request, assets)
        place = place_for(asked.first, outputs, format_of(outputs), None)
        question = None if outputs.json else ask()
        with progress_bars(outputs.json) as progress:
            done = job.run(
                request,
                place.delivery,
                assets,
                asked.generator(settings),
                signing_key(settings),
                policy=policy_of(settings, outputs.consent, question),
                hooks=Hooks(progress, planned=Teller(outputs)),
            )
    if outputs.json:
        video = done.plan.video
        facts = {"path": str(done.clip.path), "sha256": done.clip.sha256, "video": asdict(video)}
        print_json({**facts, "request": request.to_data(), "notes": list(done.plan.notes)})
    else:
        say(f"{done.clip.path}  {time.monotonic() - clock:.1f} s")


def _kept(
    first: Path, outputs: OutputOptions, request: Request, assets: FileAssets
) -> OutputOptions:
    """The outputs in the footage's own format, where nothing else is asked for."""
    asset = request.keyframes[0].image
    named = outputs.format or (outputs.out is not None and outputs.out.suffix)
    if asset.kind != "clip" or named:
        return outputs
    own = "mov" if first.suffix.lower() == ".mov" else "mp4"
    return replace(outputs, format=CODECS.get(assets.film(asset).codec, own))
