"""The command ``vivant``: thin subcommands over the library."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from vivant import __version__
from vivant.errors import VivantError

app = typer.Typer(
    name="vivant",
    help="Brings still pictures to life.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Photo = Annotated[Path, typer.Argument(help="The photograph to animate.", show_default=False)]
Out = Annotated[Path | None, typer.Option("-o", "--out", help="Output file (or folder for png).")]
Seconds = Annotated[float, typer.Option(help="Duration of the clip.")]
Fps = Annotated[float | None, typer.Option(help="Frames per second (24; 15 for gif).")]
Size = Annotated[
    str | None, typer.Option(help="1280x720, 720p or source (default 720p, never enlarged).")
]
Loop = Annotated[bool, typer.Option("--loop/--no-loop", help="Make the clip loop without a seam.")]
Strength = Annotated[float, typer.Option(help="Scales the motion; 0 = still.")]
Seed = Annotated[int, typer.Option(help="Another seed, another plausible motion.")]
Still = Annotated[Path | None, typer.Option(help="Mask: white never changes.")]
Move = Annotated[Path | None, typer.Option(help="Mask: white moves, the rest holds.")]
Strokes = Annotated[
    list[str] | None, typer.Option("--stroke", help='"x0,y0>x1,y1[@seconds]", 0..1; repeatable.')
]
StrokesFile = Annotated[Path | None, typer.Option("--strokes", help="JSON file of strokes.")]
Cameras = Annotated[
    list[str] | None,
    typer.Option("--camera", help='"push-in 0.1", pan-left, roll-right 5, ...; repeatable.'),
]
FormatName = Annotated[
    str | None, typer.Option("--format", help="mp4, av1, mov, webm, mkv, png, gif, webp, avif.")
]
Lossless = Annotated[bool, typer.Option("--lossless", help="Exact pixels (mkv, png or webp).")]
NoWatermark = Annotated[
    bool, typer.Option("--no-watermark", help="Leave the invisible mark out; the recipe says so.")
]
SaveField = Annotated[Path | None, typer.Option(help="Also write the motion field (.vivant).")]
Export = Annotated[str | None, typer.Option(help="Also write ground truth: flow,mask.")]
FlowFormat = Annotated[str, typer.Option(help="flo, kitti or npz.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Consent = Annotated[
    bool, typer.Option("--consent", help="Those concerned (faces, rights) have agreed.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing outputs.")]


@app.command()
def animate(
    photo: Photo,
    out: Out = None,
    seconds: Seconds = 4.0,
    fps: Fps = None,
    size: Size = None,
    loop: Loop = False,
    strength: Strength = 1.0,
    seed: Seed = 0,
    samples: Annotated[int, typer.Option(help="How many clips, with consecutive seeds.")] = 1,
    still: Still = None,
    move: Move = None,
    stroke: Strokes = None,
    strokes: StrokesFile = None,
    camera: Cameras = None,
    model: Annotated[
        str, typer.Option(help="A name of `vivant models`, or a bundle's folder.")
    ] = "builtin",
    format_: FormatName = None,
    lossless: Lossless = False,
    no_watermark: NoWatermark = False,
    save_field: SaveField = None,
    export: Export = None,
    flow_format: FlowFormat = "flo",
    json: Json = False,
    overwrite: Overwrite = False,
    consent: Consent = False,
) -> None:
    """Animate a photograph."""
    from vivant.cli.animate import Outputs
    from vivant.cli.animate import animate as run
    from vivant.cli.inputs import ClipOptions, ControlOptions

    run(
        photo,
        ClipOptions(seconds, fps, size, loop, strength, seed, lossless, not no_watermark),
        ControlOptions(still, move, tuple(stroke or ()), strokes, tuple(camera or ())),
        Outputs(out, format_, save_field, export, flow_format, overwrite, json, consent),
        model,
        samples,
    )


@app.command()
def render(
    photo: Photo,
    field: Annotated[Path, typer.Argument(help="The motion field (.vivant).", show_default=False)],
    out: Out = None,
    seconds: Seconds = 4.0,
    fps: Fps = None,
    size: Size = None,
    loop: Loop = False,
    strength: Strength = 1.0,
    still: Still = None,
    move: Move = None,
    stroke: Strokes = None,
    strokes: StrokesFile = None,
    camera: Cameras = None,
    format_: FormatName = None,
    lossless: Lossless = False,
    no_watermark: NoWatermark = False,
    save_field: SaveField = None,
    export: Export = None,
    flow_format: FlowFormat = "flo",
    json: Json = False,
    overwrite: Overwrite = False,
    consent: Consent = False,
) -> None:
    """Render a (perhaps edited) motion field onto its photograph."""
    from vivant.cli.animate import Outputs, render_field
    from vivant.cli.inputs import ClipOptions, ControlOptions

    render_field(
        photo,
        field,
        ClipOptions(seconds, fps, size, loop, strength, 0, lossless, not no_watermark),
        ControlOptions(still, move, tuple(stroke or ()), strokes, tuple(camera or ())),
        Outputs(out, format_, save_field, export, flow_format, overwrite, json, consent),
    )


@app.command()
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


@app.command()
def models(json: Json = False) -> None:
    """List the models and what each can do."""
    from vivant.cli.models import show_models

    show_models(json)


@app.command()
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
        Path | None, typer.Option(envvar="VIVANT_TRUST", help="PEM file of authorities to trust.")
    ] = None,
    json: Json = False,
) -> None:
    """Check credentials. Exit code 0: all intact; 1: some not; 2: usage."""
    from vivant.cli.verify import Again, verify_files

    if not verify_files(files, Again(rerender, picture, field), trust, json):
        raise typer.Exit(1)


data = typer.Typer(help="Look into training data, and honour removal requests.")
app.add_typer(data, name="data")
Shards = Annotated[Path, typer.Argument(help="A folder of shards.", show_default=False)]


@data.command("list")
def list_(shards: Shards, json: Json = False) -> None:
    """Say what each shard was made of: licence, origin, hash."""
    from vivant.cli.training import list_shards

    list_shards(shards, json)


@data.command()
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


@app.command()
def prepare(
    sources: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of videos, or manifests (.jsonl).", show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the shards.")],
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
    )


@app.command()
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


@app.command()
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


@app.command()
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


def _version(value: bool) -> None:
    if value:
        print(f"vivant {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Brings still pictures to life."""


def main() -> None:
    """Run the command line; failures are one sentence and an exit code."""
    try:
        app()
    except VivantError as error:
        print(f"vivant: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("vivant: interrupted; nothing was left behind.", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if os.environ.get("VIVANT_DEBUG"):
            raise
        print(
            f"vivant: unexpected failure, please report it: {type(error).__name__}: {error}",
            file=sys.stderr,
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
