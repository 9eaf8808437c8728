"""The built-in family: a picture's motion is sampled, then rendered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from vivant.asset import Assets
from vivant.bundle import Bundle
from vivant.clip import Frame, Picture, Plane, VideoSpec
from vivant.controls.camera import Camera, combined, write_camera
from vivant.controls.drawn import Drawn
from vivant.controls.entry import Control
from vivant.controls.given import GivenField
from vivant.controls.loop import Loop
from vivant.controls.mask import Masked, Move, Still
from vivant.controls.strength import Strength
from vivant.controls.stroke import Stroke
from vivant.controls.table import entry_of
from vivant.errors import UsageError
from vivant.field import operations
from vivant.field.file import field_from, write_field
from vivant.field.motion_field import MotionField, grid_for, still_field
from vivant.media.framing import frame_size, framing_notes
from vivant.media.resize import fit, fit_plane
from vivant.motion.apply import apply_controls, guidance_for
from vivant.motion.sampler import Conditions, Networks, Seen, open_networks, sample, see
from vivant.motion.steer import (
    calibrate,
    fluid_share,
    on_the_spot,
    plain_map,
    steer_map,
    stiffen,
    stillness,
)
from vivant.render.exports import FLOW_FORMATS, export, export_bytes, flows
from vivant.render.renderer import render
from vivant.render.shot import Shot
from vivant.request import (
    Artefact,
    Capabilities,
    FrameStream,
    Hooks,
    ModelIdentity,
    Plan,
    Request,
    Result,
    Runtime,
    SourceType,
    Target,
    idle_notes,
    refuse_unknown,
)

FPS = 24.0
MANY_PIXELS = 3e9
"""Frames times pixels from which a user should know that it takes minutes."""
LARGE_EXPORT = 200e6
SAME_ASPECT = 0.02
FIELD_ASPECT = 1.1
CAPABILITIES = Capabilities(
    controls=("loop", "strength", "still", "move", "stroke", "camera", "field"),
    reproducible="device",
    artefacts={
        "field": (),
        "truth": ("mask", "flow", *(f"flow:{name}" for name in FLOW_FORMATS)),
        "expected": (),
    },
)


@dataclass(frozen=True)
class MotionModel:
    """A bundle of the motion family; its networks are loaded when they are first needed."""

    bundle: Bundle
    runtime: Runtime

    @property
    def identity(self) -> ModelIdentity:
        """Name, version and hash of the weights."""
        return self.bundle.identity

    @property
    def capabilities(self) -> Capabilities:
        """See `vivant.request.Capabilities`."""
        return CAPABILITIES

    @cached_property
    def networks(self) -> Networks:
        """The graphs, ready to run. Raises BundleError where they cannot be loaded."""
        return open_networks(self.bundle, self.runtime.threads)

    def plan(self, request: Request, assets: Assets, target: Target) -> Plan:
        """See `vivant.request.Generator`."""
        refuse_unknown(request, target, CAPABILITIES, self.identity.name)
        if request.one(GivenField) is None:
            _ = self.networks  # loaded while the decoder still starts
        picture = assets.picture(request.keyframes[0].image)
        size = frame_size(picture.size, request.size, target)
        fps = request.fps or target.fps or FPS
        video = VideoSpec(*size, fps, max(1, round(request.seconds * fps)))
        notes = (
            *picture.notes,
            *framing_notes(picture.size, size),
            *_mask_notes(request, assets, picture),
            *_work_notes(request, video, target),
            *_idle_notes(request),
        )
        if (given := request.one(GivenField)) is not None:
            _check_aspect(field_from(assets.content(given.file), given.file.name), video)
        return Plan(video, size, notes)

    def generate(self, request: Request, plan: Plan, assets: Assets, hooks: Hooks) -> Result:
        """See `vivant.request.Generator`. Frames are rendered when they are asked for."""
        clock = time.monotonic()
        shot = read_shot(request, plan, assets)
        given = request.one(GivenField)
        if given is None:
            field = self.sample_field(shot, hooks)
        else:
            loaded = field_from(assets.content(given.file), given.file.name)
            field = apply_controls(loaded, guidance_for(shot, loaded.grid), shot)
        sampled = given is None and shot.strength > 0
        return Result(
            plan=plan,
            open=lambda: FrameStream(frames_of(shot, field)),
            model=self.identity,
            made=SourceType.COMPOSITE if sampled else SourceType.ALGORITHMIC,
            artefacts={
                "field": _field_artefact(lambda: field),
                "expected": _field_artefact(lambda: self.predict_field(shot)),
                "truth": Artefact(
                    read=lambda: flows(shot, field),
                    write=lambda folder, parts: export(shot, field, folder, parts, hooks.report),
                    folder=True,
                ),
            },
            timings={"sample": time.monotonic() - clock},
        )

    def sample_field(self, shot: Shot, hooks: Hooks = Hooks()) -> MotionField:  # noqa: B008
        """The motion field as rendered: rigid and solid things kept in place, masks, strokes,
        strength and loop applied."""
        width, height = shot.picture.size
        grid = grid_for(width, height)
        if shot.strength == 0:
            return still_field(*grid)
        seen = see(self.networks, shot.picture.pixels)
        coarse = seen.speed.shape
        guidance = guidance_for(shot, (coarse[0], coarse[1]))
        motion_map = steer_map(seen, guidance)
        conditions = Conditions(motion_map, guidance.hint_velocity, guidance.hint_mask)
        field = self._sampled(seen, conditions, shot.seed, hooks)
        drawn = np.maximum(guidance.hint_mask, 0 if guidance.move is None else guidance.move)
        travels = np.maximum(fluid_share(seen), drawn)
        settled = stiffen(on_the_spot(field.velocity, travels), travels, motion_map)
        velocity = calibrate(settled, motion_map)
        field = replace(field, velocity=velocity, still=stillness(seen, guidance))
        fluid = cv2.resize(fluid_share(seen), grid[::-1], interpolation=cv2.INTER_LINEAR)
        field = operations.resample(field, grid=grid)
        return apply_controls(field, guidance_for(shot, grid), shot, fluid)

    def predict_field(self, shot: Shot) -> MotionField:
        """What the networks alone expect to happen in the picture, solid things driving off
        and all; nothing that was drawn is looked at. For measurement."""
        seen = see(self.networks, shot.picture.pixels)
        motion_map = plain_map(seen)
        none = np.zeros((2, *motion_map.shape), np.float32)
        field = self._sampled(seen, Conditions(motion_map, none, none[0]), shot.seed, Hooks())
        field = replace(field, velocity=calibrate(field.velocity, motion_map))
        return operations.resample(field, grid=grid_for(*shot.picture.size))

    def _sampled(self, seen: Seen, conditions: Conditions, seed: int, hooks: Hooks) -> MotionField:
        velocity, light = sample(self.networks, seen, conditions, seed, hooks.report)
        return MotionField(
            velocity=velocity,
            light=light * np.float32(self.networks.options.light),
            map=conditions.motion_map,
            still=(1 - seen.moving).astype(np.float32),
            about={"model": self.identity.name, "seed": str(seed)},
        )


def load(bundle: Bundle, runtime: Runtime) -> MotionModel:
    """Open a bundle of the motion family."""
    return MotionModel(bundle, runtime)


def _field_artefact(make: Callable[[], MotionField]) -> Artefact:
    return Artefact(read=make, write=lambda path, parts: write_field(path, make()))


def frames_of(shot: Shot, field: MotionField) -> Iterator[Frame]:
    """The frames of a shot under a field."""
    return render(
        shot.picture,
        field,
        shot.spec,
        camera=shot.controls.camera,
        loop=shot.loop,
        still=shot.controls.still,
    )


def read_shot(request: Request, plan: Plan, assets: Assets) -> Shot:
    """Everything a planned request needs, read and brought to the size of the frames."""
    source = assets.picture(request.keyframes[0].image)
    strength = request.one(Strength)
    drawn = Drawn(
        still=_joined(request.all(Still), source, plan, assets),
        move=_joined(request.all(Move), source, plan, assets),
        strokes=request.all(Stroke),
        camera=combined(request.all(Camera)),
    )
    return Shot(
        picture=fit(source, plan.fitted),
        seconds=request.seconds,
        fps=plan.video.fps,
        loop=request.one(Loop) is not None,
        strength=1.0 if strength is None else strength.factor,
        seed=request.seed,
        controls=drawn,
    )


def _joined(masks: Iterable[Masked], source: Picture, plan: Plan, assets: Assets) -> Plane | None:
    """Several masks as one, at the size of the frames."""
    planes = []
    for control in masks:
        values = assets.mask(control.mask).values
        if values.shape[::-1] != source.size and values.shape[::-1] != plan.fitted:
            values = cv2.resize(values, source.size, interpolation=cv2.INTER_LINEAR)
        planes.append(fit_plane(values, plan.fitted))
    return np.maximum.reduce(planes) if planes else None


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
    strength = request.one(Strength)
    moving: list[Control] = [
        *request.all(Stroke),
        *request.all(Move),
        *request.all(GivenField),
    ]
    notes = list(idle_notes(request))
    if strength is not None and strength.factor == 0 and moving:
        names = ", ".join(dict.fromkeys(entry_of(control).name for control in moving))
        notes.append(f"Strength 0 holds everything: {names} changes nothing.")
    return notes


def _work_notes(request: Request, video: VideoSpec, target: Target) -> list[str]:
    notes = []
    if request.one(Loop) is not None and video.count < 3:
        notes.append(f"A clip of {video.count} frames has nothing to loop.")
    camera = combined(request.all(Camera))
    if camera.moves:
        notes.append(f"The camera moves: {write_camera(camera)[1]}.")
    if video.width * video.height * video.count > MANY_PIXELS:
        notes.append(
            f"{video.count} frames of {video.width}x{video.height} take minutes on two cores."
        )
    parts = dict(target.artefacts).get("truth", ())
    expected = export_bytes(video, parts)
    if expected > LARGE_EXPORT:
        notes.append(f"The export ({', '.join(parts)}) takes about {expected / 1e9:.1f} GB.")
    return notes


def _check_aspect(field: MotionField, video: VideoSpec) -> None:
    mine, theirs = video.width / video.height, field.grid[1] / field.grid[0]
    if max(mine, theirs) / min(mine, theirs) > FIELD_ASPECT:
        raise UsageError(
            f"The field was made for a picture of aspect {theirs:.2f}, this one has {mine:.2f};"
            " use the picture it was made for."
        )
