"""Options that several commands share. Those of the controls come from the table of controls."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from vivant.asset import Files
from vivant.controls.entry import Control, Option
from vivant.controls.prompt import read_option
from vivant.controls.table import options

Photo = Annotated[Path, typer.Argument(help="The photograph to animate.", show_default=False)]
Photos = Annotated[
    list[Path], typer.Argument(help="The photographs, a clip each.", show_default=False)
]
Out = Annotated[
    Path | None,
    typer.Option("-o", "--out", help="Output file (or folder); numbered by itself if left out."),
]
Seconds = Annotated[float, typer.Option(help="Duration of the clip.")]
Fps = Annotated[float | None, typer.Option(help="Frames per second (24; 15 for gif).")]
Size = Annotated[
    str | None, typer.Option(help="1280x720, 720p or source (default 720p, never enlarged).")
]
KeyFrames = Annotated[
    list[str] | None,
    typer.Option("--keyframe", metavar="FILE@SECONDS", help="A picture met then; repeatable."),
]
Last = Annotated[Path | None, typer.Option(help="Video models: the picture at the end.")]
Seed = Annotated[int, typer.Option(help="Another seed, another plausible motion.")]
FormatName = Annotated[
    str | None, typer.Option("--format", help="mp4, av1, mov, webm, mkv, png, gif, webp, avif.")
]
Lossless = Annotated[bool, typer.Option("--lossless", help="Exact pixels (mkv, png or webp).")]
NoWatermark = Annotated[
    bool, typer.Option("--no-watermark", help="Leave the invisible mark out; the record says so.")
]
SaveField = Annotated[Path | None, typer.Option(help="Also write the motion field (.vivant).")]
SaveMotion = Annotated[
    Path | None, typer.Option(help="Save what each layer does, to edit and render again.")
]
SaveScene = Annotated[
    Path | None, typer.Option(help="Also write what is seen: kinds, things, depth (.scene).")
]
Export = Annotated[
    str | None,
    typer.Option(
        help="Also write ground truth: flow,mask,depth,normals,camera,instances,alpha,nerfstudio."
    ),
]
FlowFormat = Annotated[
    str | None, typer.Option(help="Of --export flow: flo (default), kitti or npz.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Consent = Annotated[
    bool, typer.Option("--consent", help="Those concerned (faces, rights) have agreed.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing outputs.")]
ModelName = Annotated[str, typer.Option(help="A name of `vivant models`, or a bundle's folder.")]

SAMPLED = ("steps", "guidance", "render", "steady_colour", "draft", "moved_noise")
"""Controls by keyword that only video models know: of no use where a motion is given."""


@dataclass(frozen=True)
class ControlWords:
    """What was said on the command line, option by option, not read yet."""

    said: tuple[tuple[Option, str], ...]

    def read(self, files: Files, honoured: tuple[str, ...] = ()) -> tuple[Control, ...]:
        """The controls, for a model that honours ``honoured``; the files they name are taken in.
        Raises UsageError."""
        return tuple(
            control
            for option, text in self.said
            for control in read_option(option, text, files, honoured)
        )


def with_controls(command: Callable[..., None], leave_out: tuple[str, ...] = ()) -> Any:
    """``command`` with an option for every control; it gets them as ``controls``."""
    table = [option for option in options() if option.keyword not in leave_out]

    def wrapped(**values: Any) -> None:
        said = tuple(
            (option, text)
            for option in table
            for text in _texts(option, values.pop(option.keyword))
        )
        command(**values, controls=ControlWords(said))

    plain = inspect.signature(command, eval_str=True)
    kept = [p for name, p in plain.parameters.items() if name != "controls"]
    parameters = [*kept, *(_parameter(option) for option in table)]
    wrapped.__signature__ = plain.replace(parameters=parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
    wrapped.__doc__ = command.__doc__
    wrapped.__name__ = command.__name__
    return wrapped


def _texts(option: Option, value: Any) -> list[str]:
    if not option.metavar:
        return [""] if value else []
    return list(value or ())


def _parameter(option: Option) -> inspect.Parameter:
    if option.metavar:
        declared = typer.Option(option.flag, help=option.help, metavar=option.metavar)
        annotation: Any = Annotated[list[str] | None, declared]
        default: Any = None
    else:
        name = option.flag.removeprefix("--")
        annotation = Annotated[bool, typer.Option(f"--{name}/--no-{name}", help=option.help)]
        default = False
    return inspect.Parameter(
        option.keyword, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )
