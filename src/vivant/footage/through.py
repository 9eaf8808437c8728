"""The built-in model where motion is observed: through several key frames, or after a clip of the
same picture.

Each key frame is met exactly, what moves between them is found, and the layers go on by themselves
where nothing is observed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from vivant.asset import Asset, Assets
from vivant.bundle import Bundle
from vivant.clip import Frame, VideoSpec
from vivant.controls.entry import Control
from vivant.controls.flow import Flow
from vivant.controls.kinds import HoldKind, MoveKind
from vivant.controls.like import Like
from vivant.controls.loop import Loop
from vivant.controls.strength import Strength
from vivant.controls.table import entry_of
from vivant.controls.transition import Transition
from vivant.controls.wind import Wind
from vivant.errors import UnsupportedControl, UsageError
from vivant.footage.follow import follow_plan, followed, is_same
from vivant.footage.morph import Morphed
from vivant.footage.passage import Followed, Passage
from vivant.footage.scenes import same_scene
from vivant.media.resize import fit_plane
from vivant.motion import model
from vivant.motion.held import Looked
from vivant.motion.model import MotionModel
from vivant.rendering.layers import Stage
from vivant.request import (
    Capabilities,
    FrameStream,
    Hooks,
    Keyframe,
    Plan,
    Request,
    Result,
    Runtime,
    SourceType,
    Target,
)

CAPABILITIES = replace(
    model.CAPABILITIES, controls=(*model.CAPABILITIES.controls, "transition"), keyframes=64
)
HONOURED = (Strength, HoldKind, MoveKind, Flow, Wind, Loop, Transition)
"""Controls that mean the same in every picture."""


@dataclass(frozen=True)
class Stop:
    """A key frame at ``place``, its number among the frames."""

    keyframe: Keyframe
    place: int


@dataclass(frozen=True, eq=False)
class _Staged:
    """A picture with its layers, and what is seen in it."""

    stage: Stage
    looked: Looked | None


@dataclass(frozen=True)
class ThroughPictures(MotionModel):
    """`MotionModel`, also for requests of several key frames, and to follow clips."""

    @property
    def capabilities(self) -> Capabilities:
        """See `vivant.request.Capabilities`."""
        return CAPABILITIES

    def plan(self, request: Request, assets: Assets, target: Target) -> Plan:
        """See `vivant.request.Generator`."""
        if len(request.keyframes) == 1:
            clip = _same(request, assets)
            if clip is not None:
                return follow_plan(request, clip, assets, target)
            return super().plan(request, assets, target)
        _check(request, target)
        plan = super().plan(_alone(request, request.keyframes[0]), assets, target)
        stops_of(request, plan.video)
        other = 0
        for a, b in itertools.pairwise(request.keyframes):
            if same_scene(*(_frame(k, plan, assets) for k in (a, b))):
                continue
            other += 1
            if request.one(Transition) is None:
                raise UsageError(
                    f"{a.image.name} and {b.image.name} show different scenes, between which"
                    " nothing moves; --transition morphs what both have and dissolves the rest."
                )
        asked = request.one(Transition) is not None
        idle = ("All key frames show one scene: --transition changes nothing.",)
        return replace(plan, notes=plan.notes + (idle if asked and not other else ()))

    def generate(self, request: Request, plan: Plan, assets: Assets, hooks: Hooks) -> Result:
        """See `vivant.request.Generator`. Frames are made when they are asked for."""
        clip = _same(request, assets)
        if len(request.keyframes) == 1 and clip is None:
            return super().generate(request, plan, assets, hooks)

        def frames() -> Iterator[Frame]:
            if clip is not None:
                return followed(request, plan, clip, assets)
            return self._frames(request, plan, assets)

        return Result(
            plan=plan,
            open=lambda: FrameStream(frames()),
            model=self.identity,
            made=SourceType.COMPOSITE,
        )

    def _frames(self, request: Request, plan: Plan, assets: Assets) -> Iterator[Frame]:
        video, stops = plan.video, stops_of(request, plan.video)
        now = self._staged(request, plan, assets, stops[0].keyframe)
        for here, there in itertools.pairwise(stops):
            after = self._staged(request, plan, assets, there.keyframe)
            passage, steps = _passage(now, after), there.place - here.place
            rests = there is stops[-1] and there.place < video.count - 1
            for step in range(steps):
                since, until = step / video.fps, (steps - step) / video.fps
                share = step / steps
                yield passage.at(arriving(share) if rests else share, since, until)
            now = after
        for index in range(video.count - stops[-1].place):
            yield now.stage.at(index / video.fps)

    def _staged(self, request: Request, plan: Plan, assets: Assets, keyframe: Keyframe) -> _Staged:
        shown = self.performance(_alone(request, keyframe), plan, assets)
        return _Staged(shown.stage(_frame(keyframe, plan, assets)), shown.looked)


def load(bundle: Bundle, runtime: Runtime) -> ThroughPictures:
    """Open a bundle of the motion family."""
    return ThroughPictures(bundle, runtime)


def stops_of(request: Request, video: VideoSpec) -> tuple[Stop, ...]:
    """The key frames by number of frame, the first again at the end of a loop. One at the very end
    is the last frame.

    Raises UsageError where they do not follow each other within the clip.
    """
    loop = request.one(Loop) is not None
    stops = []
    for keyframe in request.keyframes:
        place = round(keyframe.at * video.fps)
        if place == video.count and not loop:
            place -= 1
        if place >= video.count:
            raise UsageError(
                f"The key frame {keyframe.image.name} at {keyframe.at:g} s lies after the end"
                f" ({video.seconds:g} s); choose --seconds {keyframe.at:g} or more."
            )
        stops.append(Stop(keyframe, place))
    if any(b.place <= a.place for a, b in itertools.pairwise(stops)):
        raise UsageError("Key frames must follow each other in time, a frame apart at least.")
    return (*stops, Stop(request.keyframes[0], video.count)) if loop else tuple(stops)


def arriving(share: float) -> float:
    """A share 0..1 of the way to the last key frame, where motion comes to rest: it begins at its
    usual speed, and ends at none."""
    return share + share * share * (1 - share)


def _same(request: Request, assets: Assets) -> Asset | None:
    """The clip to move like, where it shows the picture itself."""
    like = request.one(Like)
    if like is None:
        return None
    picture = assets.picture(request.keyframes[0].image)
    return like.clip if is_same(like.clip, picture, assets) else None


def _check(request: Request, target: Target) -> None:
    for control in request.controls:
        if control.asks and not isinstance(control, HONOURED):
            raise _refused(f"the control {entry_of(control).name}")
    if target.artefacts:
        raise _refused(f"the export of {target.artefacts[0][0]}")
    for keyframe in request.keyframes:
        if keyframe.image.kind != "picture":
            raise _refused("footage")


def _refused(what: str) -> UnsupportedControl:
    known = ", ".join(entry for entry in CAPABILITIES.controls if entry in _NAMES)
    return UnsupportedControl(
        f"Several key frames cannot honour {what}; with them go {known}. Leave one of them out."
    )


_NAMES = ("strength", "hold", "move-kind", "flow", "wind", "loop", "transition")


def _alone(request: Request, keyframe: Keyframe) -> Request:
    """The request for one picture by itself, which neither loops nor passes on."""
    kept = (Strength, HoldKind, MoveKind, Flow, Wind)
    controls: tuple[Control, ...] = tuple(c for c in request.controls if isinstance(c, kept))
    return replace(request, keyframes=(replace(keyframe, at=0.0),), controls=controls)


def _frame(keyframe: Keyframe, plan: Plan, assets: Assets) -> Frame:
    return fit_plane(assets.picture(keyframe.image).pixels, plan.fitted)


def _passage(now: _Staged, after: _Staged) -> Passage:
    if same_scene(now.stage.pixels, after.stage.pixels):
        return Followed(now.stage, after.stage)
    return Morphed(now.stage, after.stage, now.looked, after.looked)
