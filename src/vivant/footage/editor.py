"""The family of edits: several pictures, and footage, through the same seam as every model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from vivant.asset import Assets
from vivant.controls.camera import Camera
from vivant.controls.edits import (
    ENTRIES,
    Between,
    Clean,
    Edit,
    Extend,
    Freeze,
    Looped,
    Retime,
    Stir,
)
from vivant.controls.entry import Control
from vivant.controls.finish import SteadyColour
from vivant.controls.kinds import HoldKind
from vivant.controls.light import Light
from vivant.controls.mask import Still
from vivant.controls.table import entry_of
from vivant.errors import UnsupportedControl, UsageError
from vivant.footage.clean import cleaned
from vivant.footage.extend import extended
from vivant.footage.freeze import frozen
from vivant.footage.loop import looped
from vivant.footage.piece import Means, Piece
from vivant.footage.retime import retimed, through_pictures
from vivant.footage.stir import stirred
from vivant.request import (
    Capabilities,
    FrameStream,
    Generator,
    Hooks,
    ModelIdentity,
    Plan,
    Request,
    Result,
    Target,
    refuse_unknown,
)
from vivant.scene.guests import Guests

NAME = "footage"
EDITS: dict[type[Edit], Callable[[Request, Assets, Target], Piece]] = {
    Between: through_pictures,
    Retime: retimed,
    Clean: cleaned,
    Looped: looped,
}
WITH_MODEL: dict[type[Edit], Callable[[Request, Assets, Target, Means], Piece]] = {
    Freeze: frozen,
    Extend: extended,
    Stir: stirred,
}
TAKES: dict[type[Edit], tuple[type[Control], ...]] = {
    Freeze: (HoldKind, Still),
    Clean: (SteadyColour,),
    Stir: (Camera, Light),
}
"""The other controls that an edit honours."""
CAPABILITIES = Capabilities(
    controls=(
        *(entry.name for entry in ENTRIES),
        "hold",
        "still",
        "camera",
        "light",
        "steady-colour",
    ),
    keyframes=64,
    sizes="that of the footage",
    reproducible="device",
    footage=True,
)


@dataclass(frozen=True)
class Editor:
    """Edits as a model: ``builtin`` is the model whose weights see and move pictures."""

    builtin: Generator
    guests: Guests = Guests()  # noqa: RUF009 - frozen
    _planned: list[tuple[Request, Assets, Piece]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

    @property
    def identity(self) -> ModelIdentity:
        """The edits' name, with version and hash of the weights they use."""
        return replace(self.builtin.identity, name=NAME)

    @property
    def capabilities(self) -> Capabilities:
        """See `vivant.request.Capabilities`."""
        return CAPABILITIES

    def plan(self, request: Request, assets: Assets, target: Target) -> Plan:
        """See `vivant.request.Generator`. Raises MediaError for footage that cannot be read."""
        refuse_unknown(request, target, CAPABILITIES, NAME)
        piece = self._piece(request, assets, target)
        self._planned[:] = [(request, assets, piece)]
        return Plan(piece.video, (piece.video.width, piece.video.height), piece.notes)

    def generate(self, request: Request, plan: Plan, assets: Assets, hooks: Hooks) -> Result:
        """See `vivant.request.Generator`. Frames are made when they are asked for."""
        piece = self._again(request, plan, assets)
        return Result(
            plan=plan,
            open=lambda: FrameStream(piece.frames()),
            model=self.identity,
            made=piece.made,
            sound=piece.sound,
        )

    def _again(self, request: Request, plan: Plan, assets: Assets) -> Piece:
        """The piece that was planned, so that footage is looked through once; else a new one."""
        for asked, known, piece in self._planned:
            if asked == request and known is assets and piece.video == plan.video:
                return piece
        size = f"{plan.video.width}x{plan.video.height}"
        return self._piece(replace(request, size=size, fps=plan.video.fps), assets, Target())

    def _piece(self, request: Request, assets: Assets, target: Target) -> Piece:
        edits = [control for control in request.controls if isinstance(control, Edit)]
        if len(edits) != 1:
            raise UsageError(f"A request to {NAME} holds one edit, not {len(edits)}.")
        edit = type(edits[0])
        for control in request.controls:
            if not isinstance(control, (Edit, *TAKES.get(edit, ()))):
                name = entry_of(control).name
                raise UnsupportedControl(f"`vivant {edits[0].command}` takes no {name}.")
        if edit in WITH_MODEL:
            return WITH_MODEL[edit](request, assets, target, Means(self.builtin, self.guests))
        return EDITS[edit](request, assets, target)
