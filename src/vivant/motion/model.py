"""The built-in family: a picture's motion is sampled, then rendered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from vivant.asset import Assets
from vivant.bundle import Bundle, parameters
from vivant.clip import Floats, Frame, Picture, VideoSpec
from vivant.controls.given import GivenField
from vivant.field import operations
from vivant.field.file import field_from, write_field
from vivant.field.motion_field import MotionField, grid_for, still_field
from vivant.field.operations import LOOPING, Looping
from vivant.media.framing import frame_size
from vivant.motion.apply import apply_controls, guidance_for
from vivant.motion.held import enriched, scene_of
from vivant.motion.reading import HOLDS, check_aspect, notes_on, read_shot
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
from vivant.motion.steering import FIRST, Steering
from vivant.rendering.behind import in_place
from vivant.rendering.exports import FLOW_FORMATS, export, flows
from vivant.rendering.parameters import RENDERING, Rendering
from vivant.rendering.renderer import render
from vivant.rendering.shot import Shot
from vivant.rendering.source import Source
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
    refuse_unknown,
)
from vivant.scene.file import write_scene
from vivant.scene.record import Scene

FPS = 24.0
CAPABILITIES = Capabilities(
    controls=(
        "loop",
        "strength",
        "still",
        "move",
        "hold",
        "move-kind",
        "stroke",
        "camera",
        "field",
    ),
    reproducible="device",
    artefacts={
        "field": (),
        "scene": (),
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

    @cached_property
    def steering(self) -> Steering:
        """How what is seen becomes what is asked of a sample."""
        return parameters(self.bundle, "steering", FIRST)

    @cached_property
    def looping(self) -> Looping:
        """How fields are made to loop."""
        return parameters(self.bundle, "looping", LOOPING)

    @cached_property
    def rendering(self) -> Rendering:
        """How fields become frames."""
        return parameters(self.bundle, "rendering", RENDERING)

    def plan(self, request: Request, assets: Assets, target: Target) -> Plan:
        """See `vivant.request.Generator`."""
        refuse_unknown(request, target, CAPABILITIES, self.identity.name)
        if request.one(GivenField) is None:
            _ = self.networks  # loaded while the decoder still starts
        picture = assets.picture(request.keyframes[0].image)
        size = frame_size(picture.size, request.size, target)
        fps = request.fps or target.fps or FPS
        video = VideoSpec(*size, fps, max(1, round(request.seconds * fps)))
        if (given := request.one(GivenField)) is not None:
            check_aspect(field_from(assets.content(given.file), given.file.name), video)
        return Plan(video, size, notes_on(request, assets, picture, video, target, self.runtime))

    def generate(self, request: Request, plan: Plan, assets: Assets, hooks: Hooks) -> Result:
        """See `vivant.request.Generator`. Frames are rendered when they are asked for."""
        clock = time.monotonic()
        picture = assets.picture(request.keyframes[0].image)
        shot = read_shot(request, plan, assets, self.runtime)
        given = request.one(GivenField)
        if given is None:
            field = self.sample_field(shot, hooks)
        else:
            loaded = field_from(assets.content(given.file), given.file.name)
            field = self._obeying(loaded, shot)
        sampled = given is None and shot.strength > 0
        return Result(
            plan=plan,
            open=lambda: FrameStream(frames_of(shot, field, self.rendering)),
            model=self.identity,
            made=SourceType.COMPOSITE if sampled else SourceType.ALGORITHMIC,
            artefacts={
                "field": _field_artefact(lambda: field),
                "scene": _scene_artefact(lambda: scene_of(picture, self.runtime)),
                "expected": _field_artefact(lambda: self.predict_field(shot)),
                "truth": Artefact(
                    read=lambda: flows(shot, field, self.rendering),
                    write=lambda folder, parts: export(
                        shot, field, folder, parts, hooks.report, self.rendering
                    ),
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
        seen = self._seen(shot)
        coarse = seen.speed.shape
        guidance = guidance_for(shot, (coarse[0], coarse[1]))
        steering = self.steering
        motion_map = steer_map(seen, guidance, steering)
        conditions = Conditions(motion_map, guidance.hint_velocity, guidance.hint_mask)
        field = self._sampled(seen, conditions, shot.seed, hooks)
        drawn = np.maximum(guidance.hint_mask, 0 if guidance.move is None else guidance.move)
        fluid = fluid_share(seen, steering)
        travels = np.maximum(fluid, drawn)
        settled = stiffen(on_the_spot(field.velocity, travels), travels, motion_map, steering)
        velocity = calibrate(settled, motion_map, steering)
        still = stillness(seen, guidance, steering)
        field = operations.resample(replace(field, velocity=velocity, still=still), grid=grid)
        wide = cv2.resize(fluid, grid[::-1], interpolation=cv2.INTER_LINEAR)
        return self._obeying(field, shot, wide)

    def _obeying(self, field: MotionField, shot: Shot, fluid: Floats | None = None) -> MotionField:
        """A field with everything drawn on the shot enforced."""
        guidance = guidance_for(shot, field.grid)
        steering, looping = self.steering, self.looping
        return apply_controls(field, guidance, shot, fluid, steering=steering, looping=looping)

    def predict_field(self, shot: Shot) -> MotionField:
        """What the networks alone expect to happen in the picture, solid things driving off
        and all; nothing that was drawn is looked at. For measurement."""
        seen = self._seen(shot)
        motion_map = plain_map(seen, self.steering)
        none = np.zeros((2, *motion_map.shape), np.float32)
        field = self._sampled(seen, Conditions(motion_map, none, none[0]), shot.seed, Hooks())
        field = replace(field, velocity=calibrate(field.velocity, motion_map, self.steering))
        return operations.resample(field, grid=grid_for(*shot.picture.size))

    def _seen(self, shot: Shot) -> Seen:
        scene = scene_of(shot.photograph or shot.picture, self.runtime)
        return enriched(see(self.networks, shot.picture.pixels), scene)

    def _sampled(self, seen: Seen, conditions: Conditions, seed: int, hooks: Hooks) -> MotionField:
        velocity, light = sample(self.networks, seen, conditions, seed, hooks.report)
        return MotionField(
            velocity=velocity,
            light=light * np.float32(self.networks.options.light),
            map=conditions.motion_map,
            still=(1 - seen.moving).astype(np.float32),
            about={"model": self.identity.name, "seed": str(seed), HOLDS: "kinds"},
        )


def load(bundle: Bundle, runtime: Runtime) -> MotionModel:
    """Open a bundle of the motion family."""
    return MotionModel(bundle, runtime)


def _field_artefact(make: Callable[[], MotionField]) -> Artefact:
    return Artefact(read=make, write=lambda path, parts: write_field(path, make()))


def _scene_artefact(make: Callable[[], Scene]) -> Artefact:
    return Artefact(read=make, write=lambda path, parts: write_scene(path, make()))


def frames_of(shot: Shot, field: MotionField, rendering: Rendering = RENDERING) -> Iterator[Frame]:
    """The frames of a shot under a field: what holds stays in front of what moves."""
    drawn, spec = shot.controls, shot.spec
    picture, front = shot.photograph or shot.picture, drawn.front
    if front is None or drawn.camera.moves:
        return render(
            picture,
            field,
            spec,
            camera=drawn.camera,
            loop=shot.loop,
            still=front,
            rendering=rendering,
        )
    pixels = Source(picture.pixels, (spec.width, spec.height), ()).fitted

    def moved(behind: Frame) -> Iterator[Frame]:
        return render(Picture(behind), field, spec, loop=shot.loop, rendering=rendering)

    return in_place(pixels, front, moved)
