"""The use case: a request becomes a published clip. Everybody who makes clips calls this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from vivant.asset import Assets
from vivant.controls.like import Like
from vivant.controls.table import entry_of
from vivant.errors import UsageError
from vivant.files import (
    check_apart,
    check_not_input,
    check_output,
    check_output_folder,
    publish,
    publish_folder,
)
from vivant.media.framing import rate_notes, target_of
from vivant.provenance.credentials import Statement
from vivant.provenance.keys import SigningKey
from vivant.provenance.policy import Policy, decide
from vivant.provenance.record import record_of
from vivant.provenance.release import Delivery, Published, release
from vivant.request import Generator, Hooks, Plan, Request, Result, Target
from vivant.scene.persons import somebody


class ClosableAssets(Assets, Protocol):
    """Assets whose decoding can be broken off."""

    def close(self) -> None:
        """Break off."""
        ...

    def paths(self) -> tuple[Path, ...]:
        """The files taken in."""
        ...


@dataclass(frozen=True)
class Export:
    """An artefact to be written: its ``name``, where to, and which ``parts`` of it."""

    name: str
    path: Path
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """A result with the ``record`` of what it was made from, before it leaves."""

    result: Result
    record: dict[str, Any]


@dataclass(frozen=True)
class Done:
    """What a job left behind: the ``plan`` it followed, the clip, and its artefacts' paths."""

    plan: Plan
    clip: Published
    exports: Mapping[str, Path]
    timings: Mapping[str, float] = field(default_factory=dict)


def run(
    request: Request,
    delivery: Delivery,
    assets: ClosableAssets,
    generator: Generator,
    certificate: SigningKey,
    *,
    exports: tuple[Export, ...] = (),
    policy: Policy = Policy(),  # noqa: B008 - frozen
    hooks: Hooks = Hooks(),  # noqa: B008 - frozen
) -> Done:
    """Plan, decide, generate, release.

    Raises UsageError (nothing was done), PolicyError, Cancelled within a second of the hooks
    saying so, or another VivantError; on any failure nothing is left behind.
    """
    _check(delivery, exports, assets, policy)
    wanted = tuple((export.name, export.parts) for export in exports)
    target = target_of(delivery.format, delivery.lossless, wanted)
    with hooks.breaking_off(assets.close):  # decoding cannot ask the hooks
        made = make(request, target, assets, generator, policy=policy, hooks=hooks)
    statement = _statement(made, request, assets)
    clip = release(made.result, delivery, statement, certificate, policy, hooks)
    for export in exports:
        _write(export, made.result, delivery.overwrite)
    return Done(
        plan=made.result.plan,
        clip=clip,
        exports={export.name: export.path for export in exports},
        timings={**made.result.timings, **clip.timings},
    )


def make(
    request: Request,
    target: Target,
    assets: Assets,
    generator: Generator,
    *,
    policy: Policy = Policy(),  # noqa: B008 - frozen
    hooks: Hooks = Hooks(),  # noqa: B008 - frozen
) -> Made:
    """Plan, decide and generate, without publishing anything; see `run`."""
    plan = generator.plan(request, assets, target)
    plan = replace(plan, notes=plan.notes + rate_notes(plan.video, target))
    hooks.planned(plan)
    hooks.report("planning", 1.0)
    first = request.keyframes[0].image
    video = plan.video
    facts = {"seconds": request.seconds, "size": [video.width, video.height]}
    picture = assets.picture(first)
    decision = decide(
        picture, assets.path(first), policy, facts, lambda box: somebody(picture, box)
    )
    result = generator.generate(request, plan, assets, hooks)
    record = record_of(request, target, result, assets)
    return Made(result, {**record, "policy": decision.record()})


def _statement(made: Made, request: Request, assets: Assets) -> Statement:
    used = [*(k.image for k in request.keyframes), *(c.clip for c in request.all(Like))]
    first, *others = [(assets.picture(asset), assets.path(asset)) for asset in used]
    said = Statement(made.result.made, made.record, *first, others=tuple(others))
    if len(request.keyframes) == 1 and request.keyframes[0].image.kind == "picture":
        return said
    what = "Footage was edited" if request.keyframes[0].image.kind == "clip" else "Pictures joined"
    edits = ", ".join(entry_of(control).name for control in request.controls)
    description = f"{what} ({edits})." if edits else f"{what}."
    comment = f"Edited with vivant: {description}"
    return replace(said, description=description, comment=comment)


def _check(
    delivery: Delivery, exports: tuple[Export, ...], assets: ClosableAssets, policy: Policy
) -> None:
    """Refuse what cannot be written before any work is done."""
    if policy.watermark_required and not delivery.watermark:
        raise UsageError(
            "This installation marks every clip (VIVANT_WATERMARK=required);"
            " leave --no-watermark out."
        )
    delivery.check()
    places = (*delivery.places, *(export.path for export in exports))
    check_apart(places)
    for path in places:
        check_not_input(path, assets.paths())
    for export in exports:
        if export.parts:
            check_output_folder(export.path, delivery.overwrite)
        else:
            check_output(export.path, delivery.overwrite)


def _write(export: Export, result: Result, overwrite: bool) -> None:
    artefact = result.artefacts[export.name]
    if artefact.folder:
        with publish_folder(export.path, overwrite) as folder:
            artefact.write(folder, export.parts)
    else:
        with publish(export.path, overwrite) as temporary:
            artefact.write(temporary, export.parts)
