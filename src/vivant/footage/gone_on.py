"""A video model that goes on from footage, and the footage before it: one clip of both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from vivant.asset import Assets
from vivant.clip import Frame
from vivant.controls.edits import Extend
from vivant.errors import UsageError
from vivant.footage.longer import Longer, lengthened
from vivant.footage.retime import shown
from vivant.request import (
    Capabilities,
    FrameStream,
    Generator,
    Hooks,
    ModelIdentity,
    Plan,
    Request,
    Result,
    SourceType,
    Target,
)


@dataclass(frozen=True)
class GoneOn:
    """``model``, which goes on from the last frame of footage and makes that its first one; where
    `Extend` is asked for, the footage comes first, and what follows has its rate."""

    model: Generator

    @property
    def identity(self) -> ModelIdentity:
        """The model's."""
        return self.model.identity

    @property
    def capabilities(self) -> Capabilities:
        """The model's, and to extend."""
        own = self.model.capabilities
        return replace(own, controls=(*own.controls, "extend"))

    def plan(self, request: Request, assets: Assets, target: Target) -> Plan:
        """See `vivant.request.Generator`."""
        if request.one(Extend) is None:
            return self.model.plan(request, assets, target)
        longer = _longer(request, assets, target)
        more = self.model.plan(_alone(request, longer), assets, target)
        notes = tuple(note for note in more.notes if note not in longer.notes)
        if more.video.fps != longer.video.fps:
            notes = (*notes, f"It makes {more.video.fps:g} frames a second there, and what is"
                     " between them is found by motion.")  # fmt: skip
        return Plan(longer.video, longer.footage.size, (*longer.notes, *notes))

    def generate(self, request: Request, plan: Plan, assets: Assets, hooks: Hooks) -> Result:
        """See `vivant.request.Generator`. What follows is sampled here."""
        if request.one(Extend) is None:
            return self.model.generate(request, plan, assets, hooks)
        longer = _longer(replace(request, size=_named(plan.fitted)), assets, Target(sound=True))
        alone = _alone(request, longer)
        more = self.model.generate(alone, self.model.plan(alone, assets, Target()), assets, hooks)
        step = more.plan.video.fps / plan.video.fps

        def frames() -> Iterator[Frame]:
            yield from longer.footage.frames()
            places = (float(k) for k in step * np.arange(1, longer.added + 1))
            yield from shown(iter(more.open()), places)

        return Result(
            plan,
            lambda: FrameStream(frames()),
            more.model,
            SourceType.COMPOSITE,
            timings=more.timings,
            sound=longer.sound,
        )


def _longer(request: Request, assets: Assets, target: Target) -> Longer:
    longer = lengthened(request, assets, target)
    if longer.edit.before:
        raise UsageError("A model goes on after a clip only; leave out --before or --model.")
    return longer


def _alone(request: Request, longer: Longer) -> Request:
    """What the model is asked for: what comes after the last frame."""
    controls = tuple(c for c in request.controls if not isinstance(c, Extend))
    return replace(
        request, controls=controls, seconds=longer.edit.seconds, fps=None,
        size=_named(longer.footage.size),
    )  # fmt: skip


def _named(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
