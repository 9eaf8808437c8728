"""The command ``vivant``: thin subcommands over the library."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from vivant.cli.options import (
    SAMPLED,
    Consent,
    ControlWords,
    Export,
    FlowFormat,
    FormatName,
    Fps,
    Json,
    KeyFrames,
    Last,
    Lossless,
    ModelName,
    NoWatermark,
    Out,
    Overwrite,
    Photo,
    Photos,
    SaveField,
    SaveMotion,
    SaveScene,
    Seconds,
    Seed,
    Size,
    with_controls,
)
from vivant.errors import UsageError, VivantError
from vivant.settings import Settings, read_settings
from vivant.version import __version__

ServiceFolder = Annotated[Path, typer.Option(help="Folder of uploads, results and queue.")]
QueueUrl = Annotated[str, typer.Option(help="postgresql://...; left out: a file in the folder.")]
ResultsUrl = Annotated[
    str, typer.Option(help="Keep the clips in s3://BUCKET/PREFIX (extra: s3), not in the folder.")
]
Lease = Annotated[
    float, typer.Option(help="Seconds after which a silent worker is dead.", min=1, max=3600)
]


def animate(
    photos: Photos,
    controls: ControlWords,
    out: Out = None,
    seconds: Seconds = 4.0,
    fps: Fps = None,
    size: Size = None,
    seed: Seed = 0,
    keyframe: KeyFrames = None,
    samples: Annotated[int, typer.Option(help="How many clips, with consecutive seeds.")] = 1,
    model: ModelName = "builtin",
    last: Last = None,
    format_: FormatName = None,
    lossless: Lossless = False,
    no_watermark: NoWatermark = False,
    save_field: SaveField = None,
    save_scene: SaveScene = None,
    save_motion: SaveMotion = None,
    export: Export = None,
    flow_format: FlowFormat = None,
    json: Json = False,
    overwrite: Overwrite = False,
    consent: Consent = False,
) -> None:
    """Animate photographs."""
    from vivant.cli.animate import ClipOptions
    from vivant.cli.animate import animate as run
    from vivant.cli.outputs import OutputOptions

    outputs = OutputOptions(
        out, format_, lossless, not no_watermark, save_field, save_scene, save_motion, export,
        flow_format, overwrite, json, consent,
    )  # fmt: skip
    clip = ClipOptions(seconds, fps, size, seed, samples, model, tuple(keyframe or ()), last)
    if code := run(photos, clip, controls, outputs, _settings()):
        raise typer.Exit(code)


def render(
    photo: Photo,
    field: Annotated[Path, typer.Argument(help="A motion, or a motion field.", show_default=False)],
    controls: ControlWords,
    out: Out = None,
    seconds: Seconds = 4.0,
    fps: Fps = None,
    size: Size = None,
    model: ModelName = "builtin",
    format_: FormatName = None,
    lossless: Lossless = False,
    no_watermark: NoWatermark = False,
    save_field: SaveField = None,
    save_scene: SaveScene = None,
    save_motion: SaveMotion = None,
    export: Export = None,
    flow_format: FlowFormat = None,
    json: Json = False,
    overwrite: Overwrite = False,
    consent: Consent = False,
) -> None:
    """Render a (perhaps edited) motion or field onto its photograph: animate with --field."""
    from vivant.controls.given import ENTRY

    given = ControlWords(((ENTRY.options[0], str(field)), *controls.said))
    animate(
        [photo], given, out, seconds, fps, size, 0, None, 1, model, None, format_, lossless,
        no_watermark, save_field, save_scene, save_motion, export, flow_format, json, overwrite,
        consent,
    )  # fmt: skip


def field(
    path: Annotated[Path, typer.Argument(help="The motion field (.vivant).", show_default=False)],
    picture: Annotated[
        Path | None, typer.Option(help="Write a colour-wheel picture (.png).")
    ] = None,
    preview: Annotated[Path | None, typer.Option(help="Write an animated preview.")] = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Describe a motion field and draw it."""
    from vivant.cli.field import show_field

    show_field(path, picture, preview, overwrite, json)


def see(
    photo: Annotated[Path, typer.Argument(help="The photograph.", show_default=False)],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write a sheet (.png).")] = None,
    masks: Annotated[
        Path | None, typer.Option(help="Folder for mattes and cut-outs with alpha (.png).")
    ] = None,
    depth: Annotated[
        Path | None, typer.Option(help="Write the depth (.png, 16 bit, near = white).")
    ] = None,
    save_scene: SaveScene = None,
    with_depth: Annotated[
        Path | None, typer.Option(help="Your own depth map in place of the network's.")
    ] = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Say what is in a photograph: kinds, things, waters, depth."""
    from vivant.cli.see import see_photo
    from vivant.scene.guests import guests_at

    guests = guests_at(_settings().home)
    see_photo(photo, out, masks, depth, save_scene, overwrite, json, guests, with_depth)


def mask(
    photo: Annotated[Path, typer.Argument(help="The photograph.", show_default=False)],
    kind: Annotated[
        list[str] | None, typer.Option(help="Everything of this kind; repeatable.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="The thing under this point, 0..1, such as 0.4,0.7.")
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="The mask (.png).")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Write a mask of a kind, or of the thing under a point."""
    from vivant.cli.see import mask_photo
    from vivant.scene.guests import guests_at

    mask_photo(photo, tuple(kind or ()), at, out, overwrite, guests_at(_settings().home))


def models(context: typer.Context, json: Json = False) -> None:
    """List the models and what each can do."""
    from vivant.cli.models import show_models

    if context.invoked_subcommand is None:
        show_models(json, _settings())


def add_model(
    name: Annotated[str | None, typer.Argument(help="What to call a video model.")] = None,
    folder: Annotated[
        str | None,
        typer.Argument(help="Its folder in the layout of diffusers, or its id of the hub."),
    ] = None,
    depth: Annotated[
        Path | None, typer.Option(help="A depth network (.onnx), such as Depth Anything V2.")
    ] = None,
    kinds: Annotated[
        Path | None, typer.Option(help="A segmenter of ADE20K's 150 classes (.onnx).")
    ] = None,
    remove: Annotated[
        str | None, typer.Option(help="depth or kinds: use the built-in eyes again.")
    ] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Keep a video model's matrices in one byte each.")
    ] = False,
) -> None:
    """Add a video model by NAME and FOLDER, or see with a network of your own; a JSON file beside
    such a network may say how it wants its picture."""
    from vivant.cli.checkpoints import add_checkpoint
    from vivant.cli.models import add_eyes

    if name is not None:
        if folder is None or depth or kinds or remove:
            raise UsageError("Name a video model and its folder: vivant models add NAME FOLDER.")
        add_checkpoint(name, folder, _settings(), "int8" if int8 else "auto")
        return
    if int8:
        raise UsageError("--int8 is for a video model: vivant models add NAME FOLDER --int8.")
    add_eyes(depth, kinds, remove, _settings())


def check_model(name: Annotated[str, typer.Argument(help="An added model.")]) -> None:
    """Read an added video model again, byte by byte, and load it once."""
    from vivant.cli.checkpoints import check_model as check

    check(name, _settings())


def verify(
    files: Annotated[list[Path], typer.Argument(help="Clips of any system.", show_default=False)],
    picture: Annotated[
        Path | None, typer.Option(help="The photograph: make the clip again and compare.")
    ] = None,
    rerender: Annotated[
        bool, typer.Option("--rerender", help="Make the clip again; its photograph lies beside it.")
    ] = False,
    field: Annotated[
        Path | None, typer.Option(help="The field file, for clips of `vivant render`.")
    ] = None,
    trust: Annotated[
        Path | None, typer.Option(help="PEM file of authorities to trust (VIVANT_TRUST).")
    ] = None,
    depth: Annotated[
        Path | None, typer.Option(help="The depth map, for clips of --depth; else beside the clip.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="The bundle's folder, where the model is not installed.")
    ] = None,
    json: Json = False,
) -> None:
    """Check credentials. Exit code 0: all intact; 1: some not; 2: usage."""
    from vivant.cli.verify import Again, verify_files
    from vivant.provenance.keys import known_anchors

    settings = _settings()
    if trust is not None:
        settings = replace(settings, trust=trust)
    again = Again(rerender, picture, field, model, depth)
    if not verify_files(files, again, known_anchors(settings), json):
        raise typer.Exit(1)


Shards = Annotated[Path, typer.Argument(help="A folder of shards.", show_default=False)]


def list_(shards: Shards, json: Json = False) -> None:
    """Say what each shard was made of: licence, origin, hash."""
    from vivant.cli.training import list_shards

    list_shards(shards, json)


def remove(
    shards: Shards,
    match: Annotated[
        str, typer.Option(help="Part of the clip's path, origin or SHA-256, or a shot's name.")
    ],
    reason: Annotated[str, typer.Option(help="Why; it is written down.")] = "removal request",
    model: Annotated[
        list[str] | None, typer.Option(help="Also ask this bundle whether it saw the clip.")
    ] = None,
) -> None:
    """Delete a clip's shards for good and say which weights were trained on it."""
    from vivant.cli.training import remove_shards

    remove_shards(shards, match, reason, model or [])


def prepare(
    out: Annotated[Path, typer.Option(help="Folder for the shards.")],
    sources: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of videos, or manifests (.jsonl).", show_default=False),
    ] = None,
    split: Annotated[
        list[str] | None, typer.Option(help="Only this split of a manifest; repeatable.")
    ] = None,
    processes: Annotated[int, typer.Option(help="Worker processes.")] = 2,
    min_seconds: Annotated[float, typer.Option(help="Shorter shots are dropped.")] = 1.6,
    min_speed: Annotated[
        float, typer.Option(help="Shots in which nothing moves faster are dropped.")
    ] = 0.004,
    min_confidence: Annotated[
        float, typer.Option(help="Least agreement of forward and backward flow.")
    ] = 0.2,
    max_jump: Annotated[float, typer.Option(help="Largest change left inside a shot.")] = 12.0,
    max_text: Annotated[float, typer.Option(help="Largest share under writing.")] = 0.3,
    duplicate_bits: Annotated[
        int, typer.Option(help="Hash bits in which duplicates may differ; -1 keeps them.")
    ] = 4,
    procedural: Annotated[
        int, typer.Option(help="Also make this many procedural scenes with exact truth.")
    ] = 0,
    frames: Annotated[
        int,
        typer.Option(help="Also keep small frames for video diffusion, pixels of the short side."),
    ] = 0,
    clip_seconds: Annotated[float, typer.Option(help="Time limit for one clip.")] = 600.0,
    clip_memory: Annotated[int, typer.Option(help="Memory limit for one clip, MiB.")] = 12_288,
) -> None:
    """Turn clips into labelled training shards."""
    from vivant.child import Limits
    from vivant.cli.training import prepare_clips
    from vivant.data.quality import Thresholds

    prepare_clips(
        tuple(sources or ()),
        out,
        tuple(split or ()),
        processes,
        Thresholds(min_seconds, min_speed, min_confidence, max_jump, max_text, duplicate_bits),
        Limits(clip_seconds, clip_memory),
        procedural,
        frames,
    )


def train(
    recipe: Annotated[
        Path, typer.Argument(help="A recipe (.py with a function recipe()).", show_default=False)
    ],
    data: Annotated[Path, typer.Option(help="Folder of training shards.")],
    out: Annotated[Path, typer.Option(help="Folder for states, logs and the bundle; resumes.")],
    val: Annotated[Path | None, typer.Option(help="Folder of validation shards.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Train further from builtin or a bundle's folder.")
    ] = None,
) -> None:
    """Train the motion model and write a bundle (needs the extra [train])."""
    from vivant.cli.training import train_recipe

    train_recipe(recipe, data, val, out, start)


def evaluate(
    suite: Annotated[
        Path,
        typer.Argument(
            help="Shards, a manifest's folder, photographs; or the word physics-iq, vbench, fvd.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the report; a killed run goes on.")],
    model: Annotated[str, typer.Option(help="Model to measure.")] = "builtin",
    clips: Annotated[
        Path | None, typer.Option(help="Measure these clips (NAME.mp4, ...) of any other system.")
    ] = None,
    split: Annotated[str, typer.Option(help="This split of a manifest.")] = "test",
    samples: Annotated[int, typer.Option(help="Samples of motion a clip.")] = 8,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Show the clips' own pictures.")
    ] = True,
    truth: Annotated[
        Path | None, typer.Option(help="physics-iq: the benchmark; fvd: real clips.")
    ] = None,
    features: Annotated[Path | None, typer.Option(help="fvd: a TorchScript file.")] = None,
    photos: Annotated[
        Path | None, typer.Option(help="vbench: the suite's images, or any folder of images.")
    ] = None,
    ratio: Annotated[str, typer.Option(help="vbench: crop of the suite, W-H.")] = "16-9",
    consent: Annotated[
        bool, typer.Option("--consent", help="vbench: the people shown agree to be animated.")
    ] = False,
) -> None:
    """Measure a model, or anyone's clips, beside null baselines."""
    from vivant.cli.benchmarks import export_vbench, score_physics_iq, video_distance_of
    from vivant.cli.evaluate import evaluate_suite

    match suite.as_posix():
        case "physics-iq":
            score_physics_iq(clips, truth, out)
        case "fvd":
            video_distance_of(clips, truth, features, out)
        case "vbench":
            export_vbench(photos, out, model, ratio, consent)
        case _:
            evaluate_suite(suite, out, model, clips, split, samples, pictures)


def bench(
    photo: Annotated[
        Path | None,
        typer.Argument(help="Photograph; one is drawn if left out.", show_default=False),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for bench.json and bench.svg.")] = Path("bench"),
    sizes: Annotated[str, typer.Option(help="Of 480p,720p,1080p,4k.")] = "480p,720p,1080p,4k",
    seconds: Annotated[float, typer.Option(help="Duration of the clips.")] = 4.0,
    long: Annotated[bool, typer.Option("--long", help="Memory of 10 s and 60 s, too.")] = False,
) -> None:
    """Measure speed and memory of the main job on this machine, stage by stage."""
    from vivant.cli.bench import measure_speed

    measure_speed(photo, sizes, seconds, out, long)


def _settings() -> Settings:
    return read_settings()


def _version(value: bool) -> None:
    if value:
        print(f"vivant {__version__}")
        raise typer.Exit


def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Brings still pictures to life."""


def serve(
    folder: ServiceFolder = Path("vivant-service"),
    queue: QueueUrl = "",
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at.", min=1, max=65535)] = 8422,
    name: Annotated[
        list[str] | None, typer.Option(help="Host name by which clients may call it.")
    ] = None,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Workers run elsewhere.")] = False,
    results: ResultsUrl = "",
    new_key: Annotated[str, typer.Option(help="Make an API key of this name, and stop.")] = "",
    lease: Lease = 15.0,
    rate: Annotated[
        float, typer.Option(help="Requests a second of one key; 0: any number.", min=0)
    ] = 20.0,
    disk_floor: Annotated[
        int, typer.Option(help="MiB that must be free for anything to be taken.", min=0)
    ] = 256,
    webhook_host: Annotated[
        list[str] | None, typer.Option(help="Host of web hooks that may be inside, without TLS.")
    ] = None,
) -> None:
    """Serve the HTTP API (extra: serve)."""
    from vivant.cli.serve import make_key
    from vivant.cli.serve import serve as run
    from vivant.service.settings import ServiceSettings

    settings = ServiceSettings(
        folder, queue, host, port, tuple(name or ()), store=results, lease=lease, rate=rate,
        webhook_hosts=tuple(word.lower() for word in webhook_host or ()), floor=disk_floor << 20,
    )  # fmt: skip
    if new_key:
        make_key(settings, new_key)
    else:
        run(settings, not no_worker)


def worker(
    folder: ServiceFolder = Path("vivant-service"),
    queue: QueueUrl = "",
    slot: Annotated[int, typer.Option(help="Tells the workers of a machine apart.")] = 0,
    results: ResultsUrl = "",
    lease: Lease = 15.0,
    supervised: Annotated[bool, typer.Option("--supervised", hidden=True)] = False,
) -> None:
    """Work on the queue of a service (extra: serve)."""
    from vivant.cli.worker import work
    from vivant.service.settings import ServiceSettings

    work(ServiceSettings(folder, queue, store=results, lease=lease), slot, supervised)


def batch(
    manifest: Annotated[
        Path, typer.Argument(help="Requests, a JSON object a line (docs/batch.md).")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the clips; resumes.")],
    processes: Annotated[int, typer.Option(help="Clips at a time, here.", min=1, max=256)] = 1,
    queue: Annotated[
        str, typer.Option(help="Let workers do it: postgresql://..., or the word folder.")
    ] = "",
    folder: ServiceFolder = Path("vivant-service"),
    results: ResultsUrl = "",
    ray: Annotated[bool, typer.Option("--ray", help="Let Ray do it (extra: ray).")] = False,
    cluster: Annotated[str, typer.Option(help="Address of a running Ray cluster.")] = "",
    json: Json = False,
) -> None:
    """Make many clips. Exit code 1 where some failed."""
    from vivant.cli.batch import batch as run
    from vivant.cli.batch import executor_for

    executor = executor_for(processes, queue, folder, results, ray or bool(cluster), cluster)
    if not run(manifest, out, executor, json):
        raise typer.Exit(1)


def command_line() -> typer.Typer:
    """The command with its subcommands, its options read from the table of controls."""
    from vivant.cli.footage import COMMANDS as FOOTAGE

    plain: dict[str, Any] = {"rich_markup_mode": None, "add_completion": False}
    app = typer.Typer(name="vivant", no_args_is_help=True, pretty_exceptions_enable=False, **plain)
    app.callback()(root)
    app.command()(with_controls(animate))
    app.command()(with_controls(render, leave_out=("field", "like", "transition", *SAMPLED)))
    for command in (field, see, mask, verify, prepare, train, evaluate, bench):
        app.command()(command)
    for edit in FOOTAGE:
        app.command()(edit)
    app.command()(serve)
    app.command()(worker)
    app.command()(batch)
    named = typer.Typer(invoke_without_command=True, **plain)
    named.callback()(models)
    named.command("add")(add_model)
    named.command("check")(check_model)
    app.add_typer(named, name="models")
    data = typer.Typer(help="Look into training data, and honour removal requests.", **plain)
    data.command("list")(list_)
    data.command()(remove)
    app.add_typer(data, name="data")
    return app


def main() -> None:
    """Run the command line; failures are one sentence and an exit code."""
    _open_streams()
    try:
        command_line()()
    except VivantError as error:
        _complain(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _complain("interrupted; nothing was left behind.")
        sys.exit(130)
    except BrokenPipeError:  # whoever read our output has gone
        sys.exit(1)
    except OSError as error:  # a disk that is full, a folder that may not be read
        if _debug():
            raise
        place = f"{error.filename}: " if error.filename else ""
        _complain(f"{place}{error.strerror or error}.")
        sys.exit(1)
    except Exception as error:
        if _debug():
            raise
        _complain(f"unexpected failure, please report it: {type(error).__name__}: {error}")
        sys.exit(1)


def _open_streams() -> None:
    """Services and windowed programs start us without a console; what is said goes nowhere."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # names that the console cannot show


def _complain(text: str) -> None:
    from vivant.cli.show import say

    say(f"vivant: {text}")


def _debug() -> bool:
    try:
        return read_settings().debug
    except VivantError:
        return False


if __name__ == "__main__":
    main()
