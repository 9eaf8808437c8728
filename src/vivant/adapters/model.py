"""Other people's video models behind the seam: planned here, sampled in a child process.

Facts of each family are rows of `vivant.adapters.families`; what a model returns is finished by
`vivant.adapters.polish`, so that frame 0 is the picture itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from vivant.adapters.families import Family, family_of
from vivant.adapters.fit import Fit, fit_for
from vivant.adapters.host import ChildHost, Host, Job, Sampled
from vivant.adapters.layout import Checkpoint, read_checkpoint
from vivant.adapters.memory import GIB, Placement, placed
from vivant.adapters.polish import finished
from vivant.adapters.starts import DRAWN, started, starts
from vivant.asset import Assets
from vivant.bundle import Bundle
from vivant.clip import Frame, VideoSpec
from vivant.controls.finish import Rendered, SteadyColour
from vivant.controls.sampling import Guidance, Steps
from vivant.controls.start import Draft
from vivant.controls.strength import Strength, overall
from vivant.controls.words import Words
from vivant.errors import BundleError, UnsupportedControl, UsageError
from vivant.media.framing import frame_size, framing_notes
from vivant.media.resize import fit_plane
from vivant.request import (
    Capabilities,
    Generator,
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

LEAST_SECONDS = 0.5
"""Of a clip whose motion is taken out."""


@dataclass(frozen=True)
class _Work:
    """How one request is worked on: where the picture lies, for how many ``rounds`` of the
    family's grid, and where the parts go."""

    fit: Fit
    rounds: int
    placement: Placement


@dataclass(frozen=True)
class VideoModel:
    """A checkpoint of ``family``; it is loaded by ``host`` when a clip is sampled. ``builtin``
    gives the built-in model, which makes drafts."""

    identity: ModelIdentity
    checkpoint: Checkpoint
    family: Family
    runtime: Runtime
    host: Host
    builtin: Callable[[], Generator]

    @property
    def capabilities(self) -> Capabilities:
        """See `vivant.request.Capabilities`."""
        return capabilities_of(self.family, self.checkpoint)

    def plan(self, request: Request, assets: Assets, target: Target) -> Plan:
        """See `vivant.request.Generator`. Raises BundleError where nothing here has the memory."""
        able = self.capabilities
        if starts(request):
            able = replace(able, controls=(*able.controls, *DRAWN))
        refuse_unknown(request, target, able, self.identity.name)
        self._refuse(request)
        picture = assets.picture(request.keyframes[0].image)
        size = frame_size(picture.size, request.size, target)
        video = VideoSpec(*size, float(self.family.fps), self._count(request))
        notes = framing_notes(picture.size, size) + self._notes(request, video, self._work(video))
        return Plan(video, size, notes)

    def _refuse(self, request: Request) -> None:
        family, name = self.family, self.identity.name
        if any(control.kind for control in request.all(Strength)):
            raise UnsupportedControl(
                f"The model {name} cannot honour the strength of one kind; give one number."
            )
        self._refuse_together(request)
        steps = request.one(Steps)
        if steps is not None and steps.count < family.least_steps:
            raise UsageError(f"{family.title} needs at least {family.least_steps} steps.")
        draft = request.one(Draft)
        count = family.steps if steps is None else steps.count
        if draft is not None and int(count * draft.strength) < 1:
            raise UsageError(
                f"--draft {draft.strength:g} of {count} steps leaves none; take more of either."
            )
        if family.needs_last and len(request.keyframes) < 2:
            raise UsageError(
                f"The model {name} was trained for a first and a last picture; add --last PICTURE."
            )
        if any(abs(k.at - request.seconds) > 1 / family.fps for k in request.keyframes[1:]):
            raise UnsupportedControl(
                f"The model {name} takes a second picture at the clip's end only"
                f" ({request.seconds:g} s)."
            )

    def _refuse_together(self, request: Request) -> None:
        how = request.one(Rendered)
        field = how is not None and how.how == "field"
        if field and request.seconds < LEAST_SECONDS:
            raise UsageError(f"--render field needs at least {LEAST_SECONDS:g} s.")
        if len(request.keyframes) > 1 and (field or request.all(SteadyColour)):
            raise UsageError(
                "--last leads away from the first picture and its colours; leave --render field"
                " and --steady-colour out."
            )

    def _count(self, request: Request) -> int:
        """Frames of the clip; a last picture is the last frame that the model gives."""
        grid = self.family.grid
        most = self.family.most_frames(self.checkpoint)
        wanted = min(most, max(2, round(request.seconds * self.family.fps)))
        return grid.given(grid.rounds(wanted)) if len(request.keyframes) > 1 else wanted

    def _work(self, video: VideoSpec, slim: int = 0) -> _Work:
        family = self.family
        fit = fit_for(family, self.checkpoint, (video.width, video.height))
        rounds = family.grid.rounds(video.count)
        placement = placed(
            family,
            self.checkpoint,
            fit.outer,
            family.grid.given(rounds),
            self.host.machine(),
            self.runtime.dtype,
            slim,
        )
        return _Work(fit, rounds, placement)

    def _notes(self, request: Request, video: VideoSpec, work: _Work) -> tuple[str, ...]:
        family = self.family
        wide, high = work.fit.outer
        notes = [
            f"{family.title} works at {wide}x{high}; the clip is brought to"
            f" {video.width}x{video.height} with the picture's own detail.",
            work.placement.said(self.host.machine()),
            f"Licence of the weights: {self.checkpoint.licence}.",
        ]
        if round(request.seconds * family.fps) != video.count:
            notes.append(
                f"The model gives at most {family.most_frames(self.checkpoint)} frames, on its own"
                f" grid: {video.seconds:.3g} s instead of {request.seconds:g} s."
            )
        if request.fps not in (None, family.fps):
            notes.append(
                f"The model makes {family.fps} frames a second, not {request.fps:g};"
                f" `vivant retime CLIP --fps {request.fps:g}` makes those between."
            )
        return tuple(notes)

    def generate(self, request: Request, plan: Plan, assets: Assets, hooks: Hooks) -> Result:
        """See `vivant.request.Generator`. The whole clip is sampled here."""
        clock = time.monotonic()
        picture = fit_plane(assets.picture(request.keyframes[0].image).pixels, plan.fitted)
        work = self._work(plan.video)
        arrays: dict[str, NDArray[Any]] = {"picture": work.fit.laid(picture)}
        last: Frame | None = None
        for keyframe in request.keyframes[1:]:
            last = fit_plane(assets.picture(keyframe.image).pixels, plan.fitted)
            arrays["last"] = work.fit.laid(last)
        given = self.family.grid.given(work.rounds)
        arrays |= started(request, self.builtin, assets, work.fit, self.family.fps, given, hooks)
        made, work = self._sampled(request, plan, work, arrays, hooks)
        clip = [work.fit.taken(frame) for frame in made.frames[: plan.video.count]]
        if len(clip) != plan.video.count:
            raise BundleError(
                f"The model gave {len(clip)} frames where {plan.video.count} were planned."
            )
        how, steady = request.one(Rendered) or Rendered(), request.one(SteadyColour) is not None
        done = finished(picture, clip, plan.video, how.how, steady, last)
        return Result(
            replace(plan, notes=plan.notes + made.notes + done.notes),
            done.open,
            self.identity,
            SourceType.SYNTHETIC,
            done.artefacts,
            timings={"sampling": time.monotonic() - clock},
        )

    def _sampled(
        self,
        request: Request,
        plan: Plan,
        work: _Work,
        arrays: Mapping[str, NDArray[Any]],
        hooks: Hooks,
    ) -> tuple[Sampled, _Work]:
        """The model's frames; where memory does not suffice, once more in less of it."""
        job = self._job(request, work, arrays)
        try:
            return self.host.sampled(job, work.placement, hooks), work
        except MemoryError as error:
            try:
                smaller = self._work(plan.video, slim=1)
            except BundleError:  # there is none
                raise self._too_large(work) from error
        try:
            made = self.host.sampled(job, smaller.placement, hooks)
        except MemoryError as error:
            raise self._too_large(smaller) from error
        said = smaller.placement.said(self.host.machine())
        again = replace(made, notes=(f"It was tried again after a lack of memory. {said}",))
        return again, smaller

    def _too_large(self, work: _Work) -> BundleError:
        return BundleError(
            f"The model {self.identity.name} ran out of memory, though"
            f" {work.placement.need / GIB:.1f} GiB were thought to do for"
            f" {self.family.grid.given(work.rounds)} frames of {work.fit.outer[0]}x"
            f"{work.fit.outer[1]}; choose a smaller --size or fewer --seconds."
        )

    def _job(self, request: Request, work: _Work, arrays: Mapping[str, NDArray[Any]]) -> Job:
        family = self.family
        steps, guidance = request.one(Steps), request.one(Guidance)
        words, draft = request.one(Words), request.one(Draft)
        return Job(
            folder=str(self.checkpoint.folder),
            family=family.name,
            frames=family.grid.asked(work.rounds),
            seed=request.seed,
            steps=family.steps if steps is None else steps.count,
            guidance=family.guidance if guidance is None else guidance.scale,
            prompt="" if words is None else words.text,
            fps=family.fps,
            strength=overall(request.all(Strength)),
            draft=0.0 if draft is None else draft.strength,
            rounds=work.rounds if family.grid.windows else 1,
            arrays=arrays,
        )


HONOURS: tuple[tuple[str, Callable[[Family], bool]], ...] = (
    ("strength", lambda family: bool(family.strength)),
    ("words", lambda family: family.prompt),
    ("steps", lambda family: True),
    ("guidance", lambda family: family.guidance > 0),
    ("render", lambda family: True),
    ("steady-colour", lambda family: True),
    ("draft", lambda family: bool(family.draft)),
    ("moved-noise", lambda family: bool(family.noise)),
)
"""Names of controls, and which families honour them."""


def capabilities_of(family: Family, checkpoint: Checkpoint) -> Capabilities:
    """What a checkpoint of a family honours."""
    most = family.most_frames(checkpoint)
    sizes = {"free": "the picture's", "fixed": "one", "buckets": "the picture's aspect"}
    return Capabilities(
        controls=tuple(name for name, honours in HONOURS if honours(family)),
        keyframes=2 if family.last else 1,
        sizes=f"{sizes[family.sizing]}; it works on about {family.area / 1e6:.2g} megapixels",
        frames=f"2 to {most}, {family.fps} a second",
        artefacts={"field": ()},
    )


def load(bundle: Bundle, runtime: Runtime, builtin: Callable[[], Generator]) -> VideoModel:
    """Open an added checkpoint; its weights stay where they are, unread.

    Raises BundleError where the checkpoint has gone or is of no known family.
    """
    checkpoint = read_checkpoint(Path(str(bundle.config.get("checkpoint"))), hashed=False)
    family = family_of(checkpoint)
    host = ChildHost(runtime.memory_mib)
    runtime = replace(runtime, dtype=str(bundle.config.get("dtype", runtime.dtype)))
    return VideoModel(bundle.identity, checkpoint, family, runtime, host, builtin)
