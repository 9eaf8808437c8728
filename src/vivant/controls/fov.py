"""How wide the lens was that took the picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vivant.asset import Files
from vivant.controls.camera import Camera
from vivant.controls.entry import Entry, Option
from vivant.controls.path import VIEW, CameraPath, check_view
from vivant.errors import UsageError


@dataclass(frozen=True)
class FieldOfView:
    """``degrees`` across the short side of the picture, 10 to 120. Raises UsageError outside."""

    degrees: float = VIEW

    def __post_init__(self) -> None:
        check_view(self.degrees)

    @property
    def asks(self) -> bool:
        """Whether it differs from what is taken anyway."""
        return self.degrees != VIEW


def parse_view(text: str, files: Files) -> tuple[FieldOfView, ...]:
    """``"40"`` or ``"40deg"``. Raises UsageError."""
    try:
        return (FieldOfView(float(text.strip().removesuffix("deg").removesuffix("°"))),)
    except ValueError as error:
        raise UsageError(f"The field of view is a number of degrees, not {text!r}.") from error


def view_of(said: FieldOfView | None, paths: Iterable[CameraPath]) -> float:
    """Degrees across the short side: as said, else as a path says, else as usual."""
    stated = [path.view for path in paths if path.view is not None]
    return said.degrees if said is not None else stated[0] if stated else VIEW


def needs_depth(moves: Camera, paths: Iterable[CameraPath]) -> str:
    """The name of what goes through depth among all that is asked of the camera, "" for
    nothing."""
    if moves.through:
        return moves.through[0].replace("_", "-")
    return next((path.name or "move with an easing" for path in paths if path.asks), "")


ENTRY = Entry(
    "fov",
    FieldOfView,
    (
        Option(
            "--fov",
            f"Degrees that the lens sees across the short side ({VIEW:g}).",
            parse_view,
            "DEGREES",
        ),
    ),
    write=lambda control: ("--fov", f"{control.degrees:g}"),
)
