"""From a request to what is rendered: files read, masks brought to size, and what to say of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.asset import Assets
from vivant.clip import Picture, Plane, VideoSpec
from vivant.controls.camera import Camera, combined
from vivant.controls.drawn import Drawn
from vivant.controls.entry import Control
from vivant.controls.flow import Flow, flows
from vivant.controls.fov import FieldOfView, needs_depth, view_of
from vivant.controls.given import GivenField
from vivant.controls.kinds import MoveKind
from vivant.controls.layer import Layer
from vivant.controls.light import Light
from vivant.controls.loop import Loop
from vivant.controls.mask import Masked, Move, Still
from vivant.controls.path import CameraPath
from vivant.controls.strength import Strength, overall, strengths
from vivant.controls.stroke import Stroke
from vivant.controls.table import entry_of
from vivant.controls.wind import Wind
from vivant.errors import UsageError
from vivant.field.file import field_from
from vivant.field.motion_field import MotionField
from vivant.media.framing import framing_notes
from vivant.media.resize import fit, fit_plane
from vivant.motion.asked import Asked
from vivant.motion.breath import breathing, quiet_notes
from vivant.motion.depth import depth_notes, seen_with
from vivant.motion.filming import camera_notes
from vivant.motion.held import LEAST_SEEN, Looked, asked_kinds, kind_notes, look
from vivant.motion.lighting import light_notes
from vivant.motion.motion_file import is_motion
from vivant.motion.performance import HOLDS
from vivant.motion.snow import snow_notes
from vivant.motion.travel import travel_notes
from vivant.rendering.exports import FLOWS, export_bytes
from vivant.rendering.shot import Shot
from vivant.request import Plan, Request, Runtime, Target, idle_notes
from vivant.scene.falling import falling
from vivant.scene.overlay import overlay_of
from vivant.scene.record import Scene
from vivant.scene.surround import find_surround

MANY_PIXELS = 3e9
"""Frames times pixels from which a user should know that it takes minutes."""
LARGE_EXPORT = 200e6
SAME_ASPECT = 0.02
FIELD_ASPECT = 1.1


def notes_on(
    request: Request,
    assets: Assets,
    picture: Picture,
    video: VideoSpec,
    target: Target,
    runtime: Runtime,
) -> tuple[str, ...]:
    """What a user should hear before the work. Raises UsageError where a mask does not fit."""
    quiet = quiet_notes(request, assets, runtime)
    request = breathing(request, assets, runtime)
    return (
        *picture.notes,
        *framing_notes(picture.size, (video.width, video.height)),
        *_surround_notes(picture),
        *_mask_notes(request, assets, picture),
        *depth_notes(request, assets, picture, runtime, target),
        *kind_notes(request, assets, runtime),
        *quiet,
        *snow_notes(request, assets),
        *travel_notes(request, assets, runtime, (video.width, video.height)),
        *_work_notes(request, video, target),
        *_idle_notes(request),
        *_given_notes(request, assets),
    )


def read_shot(request: Request, plan: Plan, assets: Assets, runtime: Runtime) -> Shot:
    """Everything a planned request needs, read and brought to the size of the frames."""
    source = assets.picture(request.keyframes[0].image)
    move = _joined(request.all(Move), source, plan, assets)
    still = _joined(request.all(Still), source, plan, assets)
    things = held = None
    by_kind = _holds_by_kind(request, assets)
    if by_kind or any(asked_kinds(request)):
        still, move, things, held = _with_kinds(
            request, look(source, runtime), plan, still, move, by_kind
        )
    drawn = Drawn(
        still=_with_surround(still, move, source, plan),
        move=move,
        things=things,
        held=held,
        strokes=request.all(Stroke),
        camera=combined(request.all(Camera)),
    )
    return Shot(
        picture=fit(source, plan.fitted),
        seconds=request.seconds,
        fps=plan.video.fps,
        loop=request.one(Loop) is not None,
        strength=overall(request.all(Strength)),
        seed=request.seed,
        controls=drawn,
        photograph=source,
    )


def read_layers(
    request: Request, plan: Plan, assets: Assets, runtime: Runtime, scene: Scene | None = None
) -> tuple[Shot, Looked | None]:
    """As `read_shot`, with what is seen in the picture, or its ``scene`` as it is given; None where
    nothing shall move."""
    source = assets.picture(request.keyframes[0].image)
    fitted = fit(source, plan.fitted)
    factor = overall(request.all(Strength))
    camera, paths = combined(request.all(Camera)), request.all(CameraPath)
    looked = None
    layered = request.one(Layer) is not None
    lights = request.all(Light)
    if factor > 0 or needs_depth(camera, paths) or layered or lights:
        looked = look(source, runtime, fitted, scene)
        looked = replace(looked, scene=seen_with(looked.scene, request, assets))
    move = _joined(request.all(Move), source, plan, assets)
    still = _joined(request.all(Still), source, plan, assets)
    things = None
    if looked is not None:
        things = looked.driven(request.all(Stroke))
        things = None if things is None else fit_plane(things, plan.fitted)
        if move is not None:
            looked = looked.moved(move)
        looked = looked.stroked(request.all(Stroke))
        hold_kinds, move_kinds = asked_kinds(request)
        if "sky" in move_kinds or looked.lies_on(move, "sky"):
            looked = replace(looked, calm=False)  # somebody says that it moves
        still = _with_planes(still, looked, hold_kinds, plan)
        move = _with_planes(move, looked, move_kinds, plan)
    drawn = Drawn(
        still=_with_surround(still, move, source, plan),
        move=move,
        things=things,
        strokes=request.all(Stroke),
        camera=camera,
        paths=paths,
        view=view_of(request.one(FieldOfView), paths),
        lights=lights,
    )
    loop = request.one(Loop) is not None
    spec = (request.seconds, plan.video.fps, loop, factor, request.seed)
    return Shot(fitted, *spec, controls=drawn, photograph=source), looked


def _with_planes(
    plane: Plane | None, looked: Looked, kinds: tuple[str, ...], plan: Plan
) -> Plane | None:
    """A mask joined with the mattes of some kinds."""
    if not kinds:
        return plane
    own = fit_plane(looked.of(kinds), plan.fitted)
    return own if plane is None else np.maximum(plane, own)


def asked_of(request: Request, shot: Shot, looked: Looked) -> Asked:
    """What a request asks of the layers; a stroke that drives a thing turns nothing else."""
    wind = request.one(Wind)
    factors = strengths(request.all(Strength))
    return Asked(
        seed=request.seed,
        overall=factors.pop("", 1.0),
        strengths=factors,
        flows=flows(request.all(Flow)),
        wind=None if wind is None else wind.degrees,
        wind_speed=None if wind is None else wind.speed,
        strokes=tuple(s for s in request.all(Stroke) if looked.drives(s) is None),
        seconds=shot.spec.seconds,
    )


def _holds_by_kind(request: Request, assets: Assets) -> bool:
    """Whether what is of a holding kind holds: in every clip that moves, unless its field was
    made without a scene."""
    given = request.one(GivenField)
    if given is not None:
        return HOLDS in field_from(assets.content(given.file), given.file.name).about
    return overall(request.all(Strength)) > 0


def _with_kinds(
    request: Request,
    looked: Looked,
    plan: Plan,
    still: Plane | None,
    move: Plane | None,
    by_kind: bool,
) -> tuple[Plane | None, Plane | None, Plane | None, Plane | None]:
    """Masks of what shall hold and move, joined with the kinds that shall; the things that are
    driven; and what holds by its kind.

    What is asked to move may, whatever its kind; what is asked to hold does.
    """
    hold_kinds, move_kinds = asked_kinds(request)

    def fitted(plane: Plane) -> Plane:
        return fit_plane(plane, plan.fitted)

    things = looked.driven(request.all(Stroke))
    things = None if things is None else fitted(things)
    if move_kinds:
        asked = fitted(looked.of(move_kinds))
        move = asked if move is None else np.maximum(move, asked)
    held = None
    if by_kind:
        held = fitted(looked.holding(move_kinds))
        for may in (move, things):
            held = held if may is None else np.minimum(held, 255 - may)
    if hold_kinds:
        asked = fitted(looked.of(hold_kinds))
        still = asked if still is None else np.maximum(still, asked)
    return still, move, things, held


def _joined(masks: Iterable[Masked], source: Picture, plan: Plan, assets: Assets) -> Plane | None:
    """Several masks as one, at the size of the frames."""
    planes = []
    for control in masks:
        values = assets.mask(control.mask).values
        if values.shape[::-1] != source.size and values.shape[::-1] != plan.fitted:
            values = cv2.resize(values, source.size, interpolation=cv2.INTER_LINEAR)
        planes.append(fit_plane(values, plan.fitted))
    return np.maximum.reduce(planes) if planes else None


def _with_surround(
    still: Plane | None, move: Plane | None, source: Picture, plan: Plan
) -> Plane | None:
    """What is held, with what surrounds the scene or lies over it; a move mask may ask for that,
    too."""
    parts = (find_surround(source.pixels), _lettering(source))
    no_scene = [part for part in parts if part is not None]
    if not no_scene:
        return still
    found = np.logical_or.reduce(no_scene)
    held = fit_plane(np.where(found, np.uint8(255), np.uint8(0)), plan.fitted)
    if move is not None:
        held = np.where(move > 127, np.uint8(0), held)
    return held if still is None else np.maximum(still, held)


def _lettering(picture: Picture) -> NDArray[np.bool_] | None:
    """What lies over the scene; nothing where it snows, since flakes look like letters."""
    return None if falling(picture) is not None else overlay_of(picture)


def _surround_notes(picture: Picture) -> list[str]:
    notes = []
    surround, overlay = find_surround(picture.pixels), _lettering(picture)
    if surround is not None:
        notes.append(f"The border around the scene ({surround.mean():.0%} of the picture) is held.")
    if overlay is not None and (surround is None or (overlay & ~surround).any()):
        notes.append("Lettering or panels over the scene are held.")
    return notes


def _mask_notes(request: Request, assets: Assets, picture: Picture) -> list[str]:
    """What is to be said of the masks. Raises UsageError where one has another aspect."""
    notes: list[str] = []
    for control in request.all(Masked):
        mask, name = assets.mask(control.mask), entry_of(control).name
        notes += mask.notes
        (width, height), (wide, high) = picture.size, mask.size
        if abs(width / height / (wide / high) - 1) > SAME_ASPECT:
            raise UsageError(
                f"The --{name} mask {mask.name} is {wide}x{high} but the picture is"
                f" {width}x{height}; make them the same size."
            )
        if mask.size != picture.size:
            notes.append(
                f"The --{name} mask {mask.name} is scaled from {wide}x{high} to the picture."
            )
    return notes


def _idle_notes(request: Request) -> list[str]:
    """What is asked for, but has no effect under the other controls."""
    still = overall(request.all(Strength)) == 0
    moving: list[Control] = [
        *request.all(Stroke),
        *request.all(Move),
        *request.all(MoveKind),
        *request.all(GivenField),
        *request.all(Flow),
        *request.all(Wind),
    ]
    notes = list(idle_notes(request))
    held = {control.mask.sha256 for control in request.all(Still)}
    for control in request.all(Move):
        if control.mask.sha256 in held:
            notes.append(f"{control.mask.name} is to hold and to move: it holds.")
    if still and moving:
        names = ", ".join(dict.fromkeys(entry_of(control).name for control in moving))
        notes.append(f"Strength 0 holds everything: {names} changes nothing.")
    return notes


def _given_notes(request: Request, assets: Assets) -> list[str]:
    """What is asked for beside a motion or a field that is given, and cannot turn it."""
    given = request.one(GivenField)
    if given is None:
        return []
    idle: tuple[type[Control], ...] = (Flow, Wind)
    if is_motion(assets.content(given.file)):
        idle = (Flow, Wind, Stroke, Strength)
    asked = [c for c in request.controls if isinstance(c, idle) and c.asks]
    found = dict.fromkeys(entry_of(control).name for control in asked)
    names = ", ".join([*found, *(["another seed"] if request.seed else [])])
    return [f"The motion is given: {names} changes nothing of it."] if names else []


def _work_notes(request: Request, video: VideoSpec, target: Target) -> list[str]:
    notes = []
    if request.one(Loop) is not None and video.count < 3:
        notes.append(f"A clip of {video.count} frames has nothing to loop.")
    notes += camera_notes(request, video)
    notes += light_notes(request.all(Light))
    if video.width * video.height * video.count > MANY_PIXELS:
        notes.append(
            f"{video.count} frames of {video.width}x{video.height} take minutes on two cores."
        )
    parts = dict(target.artefacts).get("truth", ())
    expected = export_bytes(video, parts)
    if expected > LARGE_EXPORT:
        notes.append(f"The export ({', '.join(parts)}) takes about {expected / 1e9:.1f} GB.")
    return notes


def check_layer(layer: Layer, target: Target, scene: Scene) -> None:
    """Raises UsageError where a layer is not in the picture, or the output keeps no
    transparency."""
    if not target.alpha:
        raise UsageError(
            "A layer leaves on nothing, which this format cannot hold; choose --format prores,"
            " webm, png or webp."
        )
    count = len(scene.instances)
    if layer.number is not None and layer.number >= count:
        raise UsageError(
            f"There are {count} things in the picture, counted from 0, so there is none of"
            f" {layer.number}; `vivant see` lists them."
        )
    if layer.kind and scene.share(layer.kind) < LEAST_SEEN:
        there = [kind for kind, share in scene.shares().items() if share > LEAST_SEEN]
        raise UsageError(f"No {layer.kind} is seen in the picture; seen are {', '.join(there)}.")


def check_truth(request: Request, target: Target) -> None:
    """Raises UsageError where an export asks for what is seen while nothing is looked at."""
    parts = [p for p in dict(target.artefacts).get("truth", ()) if p not in (*FLOWS, "camera")]
    looks = overall(request.all(Strength)) > 0 or needs_depth(
        combined(request.all(Camera)), request.all(CameraPath)
    )
    if parts and not looks:
        raise UsageError(
            f"With strength 0 and no camera through depth nothing is seen: leave {parts[0]} out of"
            " --export, or let the camera move; `vivant see` writes the depth of a picture."
        )


def check_flat(request: Request, target: Target) -> None:
    """Raises UsageError where a camera or an export asks for depth, which a field is rendered
    without."""
    for part in dict(target.artefacts).get("truth", ()):
        if part not in FLOWS:
            raise UsageError(
                f"A field knows no depth, so there is no export {part!r} of it; choose from flow"
                " and mask, or render a motion."
            )
    if request.one(Layer) is not None:
        raise UsageError("A field knows no layers: leave --layer out, or render a motion.")
    if request.one(Light) is not None:
        raise UsageError("A field knows nothing that light falls on: leave --light out.")
    move = needs_depth(combined(request.all(Camera)), request.all(CameraPath))
    if move:
        raise UsageError(
            f"A field is rendered flat, and the camera's {move} needs depth;"
            " leave the field out, or use pans, push-in and rolls."
        )


def check_aspect(field: MotionField, video: VideoSpec) -> None:
    """Raises UsageError where a field was made for a picture of another shape."""
    mine, theirs = video.width / video.height, field.grid[1] / field.grid[0]
    if max(mine, theirs) / min(mine, theirs) > FIELD_ASPECT:
        raise UsageError(
            f"The field was made for a picture of aspect {theirs:.2f}, this one has {mine:.2f};"
            " use the picture it was made for."
        )
