"""The built-in family: a picture is seen, its layers' motion is sampled, then rendered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial

from vivant.asset import Assets
from vivant.bundle import Bundle, parameters
from vivant.clip import Frame, Picture, VideoSpec
from vivant.controls.aspect import Aspect
from vivant.controls.given import GivenField
from vivant.controls.layer import Layer
from vivant.controls.transition import Transition
from vivant.errors import UsageError
from vivant.field.file import field_from, write_field
from vivant.field.motion_field import MotionField
from vivant.field.operations import LOOPING, Looping
from vivant.media.framing import frame_size
from vivant.motion.apply import apply_controls, guidance_for
from vivant.motion.breath import breathing
from vivant.motion.choose import choose
from vivant.motion.crop import framed
from vivant.motion.depth import given_depth, seen_with
from vivant.motion.fields import Fields
from vivant.motion.filming import camera_of, filmed
from vivant.motion.held import scene_of
from vivant.motion.layered import Motion
from vivant.motion.like import like_notes, moving_like
from vivant.motion.likeness import likeness
from vivant.motion.motion_file import (
    check_picture,
    check_scene,
    is_motion,
    motion_from,
    write_motion,
)
from vivant.motion.performance import Performance, things_of
from vivant.motion.priors import Priors, priors_of
from vivant.motion.reading import (
    asked_of,
    check_aspect,
    check_flat,
    check_layer,
    check_truth,
    notes_on,
    read_layers,
    read_shot,
)
from vivant.motion.sampler import open_networks
from vivant.motion.sights import layer_frames
from vivant.motion.steering import FIRST, Steering
from vivant.motion.truth import PARTS, write_truth
from vivant.rendering.behind import in_place
from vivant.rendering.exports import FLOWS, FlowPair, export, flows
from vivant.rendering.parameters import RENDERING, Rendering
from vivant.rendering.renderer import render
from vivant.rendering.shot import Shot
from vivant.rendering.source import Source
from vivant.rendering.tracks import FORMATS as TRACKS
from vivant.rendering.tracks import Tracks, tracks_of, write_tracks
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
from vivant.scene.eyes import builtin_eyes
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
        "camera-path",
        "fov",
        "depth",
        "layer",
        "light",
        "aspect",
        "flow",
        "wind",
        "field",
        "like",
    ),
    reproducible="device",
    artefacts={
        "field": (),
        "motion": (),
        "scene": (),
        "truth": (*FLOWS, *PARTS),
        "expected": (),
        "tracks": tuple(TRACKS),
    },
)


@dataclass(frozen=True)
class _Opened:
    """A ``request`` and its ``assets`` in the frame that is asked for; the ``motion`` or ``field``
    that is given; the ``shape`` of the frame, and ``notes`` on it."""

    request: Request
    assets: Assets
    motion: Motion | None
    field: MotionField | None
    shape: tuple[Aspect, ...]
    notes: tuple[str, ...]


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
    def fields(self) -> Fields:
        """What the networks sample as fields. Raises BundleError where they cannot be loaded."""
        networks = open_networks(self.bundle, self.runtime.threads)
        name, steering, looping = self.identity.name, self.steering, self.looping
        return Fields(name, networks, steering, looping, self.runtime)

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

    @cached_property
    def priors(self) -> Priors:
        """How each kind moves. Raises BundleError where the bundle states it wrongly."""
        return priors_of(self.bundle.config.get("manners"), str(self.bundle.folder))

    def plan(self, request: Request, assets: Assets, target: Target) -> Plan:
        """See `vivant.request.Generator`."""
        if request.one(Transition) is not None and len(request.keyframes) == 1:
            raise UsageError("--transition passes into a key frame; name one with --keyframe.")
        refuse_unknown(request, target, CAPABILITIES, self.identity.name)
        given = request.one(GivenField)
        if given is None:
            builtin_eyes(self.runtime.threads)  # loaded while the decoder still starts
        opened = self._opened(request, assets)
        request, assets = opened.request, opened.assets
        picture = assets.picture(request.keyframes[0].image)
        size = frame_size(picture.size, request.size, target)
        fps = request.fps or target.fps or FPS
        layer = request.one(Layer)
        if layer is not None:
            check_layer(layer, target, scene_of(picture, self.runtime))
        video = VideoSpec(*size, fps, max(1, round(request.seconds * fps)), layer is not None)
        if opened.field is not None:
            check_flat(request, target)
            check_aspect(opened.field, video)
        check_truth(request, target)
        notes = like_notes(request, assets, self.priors, self.runtime)
        notes += notes_on(request, assets, picture, video, target, self.runtime)
        return Plan(video, size, (*opened.notes, *notes))

    def generate(self, request: Request, plan: Plan, assets: Assets, hooks: Hooks) -> Result:
        """See `vivant.request.Generator`. Frames are rendered when they are asked for."""
        clock = time.monotonic()
        layer = request.one(Layer)
        opened = self._opened(request, assets)
        request, assets = opened.request, opened.assets
        picture = assets.picture(request.keyframes[0].image)
        scene = _scene_artefact(lambda: self._seen(request, picture, assets))
        if opened.field is not None:
            shot = read_shot(request, plan, assets, self.runtime)
            field = self._obeying(opened.field, shot)
            made, artefacts = _by_field(shot, field, self.rendering, hooks)
            source = SourceType.ALGORITHMIC
        else:
            hooks.report("sampling", 0.0)
            shown = self._performance(opened, plan)
            hooks.report("sampling", 1.0)
            made, artefacts = _by_layers(shown, hooks)
            if layer is not None:
                made = partial(layer_frames, shown, layer)
            sampled = opened.motion is None and shown.looked is not None
            source = SourceType.COMPOSITE if sampled else SourceType.ALGORITHMIC
        return Result(
            plan=plan,
            open=lambda: FrameStream(made()),
            model=self.identity,
            made=source,
            artefacts={**artefacts, "scene": scene},
            timings={"sample": time.monotonic() - clock},
        )

    def _seen(self, request: Request, picture: Picture, assets: Assets) -> Scene:
        """The scene for other programs, with the depth that is given."""
        return seen_with(scene_of(picture, self.runtime), request, assets)

    def performance(self, request: Request, plan: Plan, assets: Assets) -> Performance:
        """What is performed. Raises what `generate` does."""
        return self._performance(self._opened(request, assets), plan)

    def _opened(self, request: Request, assets: Assets) -> _Opened:
        """A request with its motion or field read, in the camera and the frame they have."""
        given = request.one(GivenField)
        motion = field = None
        if given is not None:
            content = assets.content(given.file)
            if is_motion(content):
                motion = motion_from(content, given.file.name)
                request = filmed(request, motion)
            else:
                field = field_from(content, given.file.name)
        inner, cut, notes = framed(request, assets, self.runtime)
        return _Opened(inner, cut, motion, field, request.all(Aspect), tuple(notes))

    def _performance(self, opened: _Opened, plan: Plan) -> Performance:
        """What is performed: a motion that is given, or a sampled one."""
        request, assets = opened.request, opened.assets
        motion = Motion() if opened.motion is None else opened.motion
        picture = assets.picture(request.keyframes[0].image).pixels
        check_picture(motion, picture)
        request = breathing(request, assets, self.runtime)
        depth = given_depth(request, assets)
        depth = motion.depth if depth is None else depth
        shot, looked = read_layers(request, plan, assets, self.runtime, motion.scene)
        if looked is None:
            motion = Motion()
        elif opened.motion is None:
            asked = asked_of(request, shot, looked)
            asked, priors = moving_like(request, assets, asked, self.priors, self.runtime)
            motion = choose(looked, asked, priors)
            motion = replace(motion, scene=looked.scene, likeness=likeness(picture))
        elif motion.scene is None:
            check_scene(motion, looked.scene)
        motion = replace(motion, camera=(*camera_of(request), *opened.shape), depth=depth)
        things = things_of(shot, looked, self.steering)
        return Performance(shot, looked, motion, things, self.rendering, self.identity.name)

    def _obeying(self, field: MotionField, shot: Shot) -> MotionField:
        """A given field with everything drawn on the shot enforced."""
        guidance = guidance_for(shot, field.grid)
        steering, looping = self.steering, self.looping
        return apply_controls(field, guidance, shot, steering=steering, looping=looping)


def load(bundle: Bundle, runtime: Runtime) -> MotionModel:
    """Open a bundle of the motion family."""
    return MotionModel(bundle, runtime)


Made = tuple[Callable[[], Iterator[Frame]], dict[str, Artefact]]
"""How frames are made, and what else there is."""


def _by_layers(shown: Performance, hooks: Hooks) -> Made:
    field = _field_artefact(shown.field)
    truth = Artefact(
        read=shown.flows,
        write=lambda folder, parts: write_truth(shown, folder, parts, hooks.report),
        folder=True,
    )
    tracks = _tracks(shown.flows, shown.shot)
    motion = Artefact(
        read=lambda: shown.motion, write=lambda path, parts: write_motion(path, shown.motion)
    )
    made = {"field": field, "expected": field, "truth": truth, "motion": motion, "tracks": tracks}
    return shown.frames, made


def _by_field(shot: Shot, field: MotionField, rendering: Rendering, hooks: Hooks) -> Made:
    truth = _truth(lambda: flows(shot, field, rendering), shot.spec.count, hooks)
    tracks = _tracks(lambda: flows(shot, field, rendering), shot)
    stated = {"field": _field_artefact(lambda: field), "truth": truth, "tracks": tracks}
    return lambda: frames_of(shot, field, rendering), stated


def _truth(make: Callable[[], Iterator[FlowPair]], count: int, hooks: Hooks) -> Artefact:
    return Artefact(
        read=make,
        write=lambda folder, parts: export(make(), count, folder, parts, hooks.report),
        folder=True,
    )


def _tracks(make: Callable[[], Iterator[FlowPair]], shot: Shot) -> Artefact:
    def read() -> Tracks:
        return tracks_of(make(), (shot.spec.width, shot.spec.height))

    return Artefact(
        read=read,
        write=lambda folder, parts: write_tracks(folder, read(), parts),
        folder=True,
    )


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
