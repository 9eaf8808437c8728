"""``vivant field``: a motion field in numbers and pictures."""

from __future__ import annotations

from pathlib import Path

from vivant.cli.png import check_png, write_png
from vivant.cli.preview import write_preview
from vivant.cli.show import print_json, say
from vivant.field.describe import describe
from vivant.field.file import load_field
from vivant.field.wheel import wheel_picture
from vivant.files import check_apart, check_not_input, check_output


def show_field(
    path: Path, picture: Path | None, animation: Path | None, overwrite: bool, as_json: bool
) -> None:
    """Describe a field; write a colour-wheel picture and an animated preview where asked."""
    field = load_field(path)
    outputs = [out for out in (picture, animation) if out is not None]
    check_apart(outputs)
    for out in outputs:
        check_not_input(out, (path,))
        check_output(out, overwrite)
    if picture is not None:
        check_png(picture)
    facts = describe(field)
    if picture is not None:
        write_png(picture, wheel_picture(field))
    if animation is not None:
        write_preview(field, animation)
    if as_json:
        print_json({"path": str(path), **facts, "picture": picture, "preview": animation})
        return
    for name, value in facts.items():
        shown = f"{value:.4g}" if isinstance(value, float) else value
        say(f"{name:>13}: {shown}")
