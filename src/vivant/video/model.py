"""Our own video diffusion behind the seam: plan here, sampling in a child that loads PyTorch.

What it returns is made exact by `vivant.rendering.carried`: frame 0 is the picture itself.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.asset import Assets
from vivant.bundle import Bundle, parameters
from vivant.child import Child, Limits
from vivant.clip import Floats, Frame, Picture, VideoSpec
from vivant.controls.given import GivenField
from vivant.controls.sampling import Guidance, Steps
from vivant.controls.strength import Strength
from vivant.controls.words import Words
from vivant.errors import BundleError, UnsupportedControl
from vivant.field.file import field_from
from vivant.field.operations import velocity_at
from vivant.media.framing import frame_size, framing_notes
from vivant.media.resize import fit_plane
from vivant.rendering.carried import carry
from vivant.request import (
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
from vivant.scene.eyes import scene_of
from vivant.scene.guests import Guests
from vivant.video.conditions import WHOLE, features_of, fitted
from vivant.video.parameters import SAMPLING, WEIGHTS, Sampling, working_size
from vivant.wire import Answer

CAPABILITIES = Capabilities(
    controls=("strength", "field", "words", "steps", "guidance"),
    sizes="the picture's",
    frames="any",
    footage=True,
)
LIMITS = Limits(seconds=3600.0, memory_mib=1 << 20)
"""For one step of the solver; PyTorch reserves far more memory than it uses."""


@dataclass(frozen=True)
class VideoModel:
    """A bundle of the video family; a key frame of footage is gone on from at its last frame."""

    bundle: Bundle
    sampling: Sampling
    runtime: Runtime

    @property
    def identity(self) -> ModelIdentity:
        """See `vivant.request.Generator`."""
        return self.bundle.identity

    @property
    def capabilities(self) -> Capabilities:
        """See `vivant.request.Capabilities`."""
        return CAPABILITIES

    def plan(self, request: Request, assets: Assets, target: Target) -> Plan:
        """See `vivant.request.Generator`."""
        refuse_unknown(request, target, CAPABILITIES, self.identity.name)
        if any(control.kind for control in request.all(Strength)):
            raise UnsupportedControl(
                f"The model {self.identity.name} cannot honour the strength of one kind;"
                " give one number."
            )
        picture = assets.picture(request.keyframes[0].image)
        size = frame_size(picture.size, request.size, target)
        count = max(2, round(request.seconds * self.sampling.fps) + 1)
        video = VideoSpec(*size, self.sampling.fps, count)
        return Plan(video, size, framing_notes(picture.size, size) + self._notes(request, video))

    def _notes(self, request: Request, video: VideoSpec) -> tuple[str, ...]:
        width, height = working_size(video.width, video.height, self.sampling)
        notes = [
            f"The model works at {width}x{height}: it is for research. The clip is brought to"
            f" {video.width}x{video.height} with the picture's own detail, carried along.",
        ]
        if request.keyframes[0].image.kind == "clip":
            notes.append("The clip goes on from the last frame of the footage.")
        if request.fps not in (None, self.sampling.fps):
            notes.append(
                f"The model makes {self.sampling.fps:g} frames a second, not {request.fps:g}."
            )
        if video.count > self.sampling.frames:
            notes.append(
                f"The model makes {self.sampling.frames} frames at a time; the clip is made of"
                " pieces, each going on from the last frames of the one before."
            )
        return tuple(notes)

    def generate(self, request: Request, plan: Plan, assets: Assets, hooks: Hooks) -> Result:
        """See `vivant.request.Generator`. The whole clip is sampled here."""
        clock = time.monotonic()
        frames = self._known(request, plan, assets)
        clip = self._sampled(frames, request, plan, assets, hooks)
        return Result(
            plan,
            lambda: FrameStream(carry(frames[-1], clip)),
            self.identity,
            SourceType.SYNTHETIC,
            timings={"sampling": time.monotonic() - clock},
        )

    def _known(self, request: Request, plan: Plan, assets: Assets) -> list[Frame]:
        """The picture at the size of the frames; of footage as many last frames, at the model's
        rate, as it can be anchored on."""
        image = request.keyframes[0].image
        if image.kind != "clip":
            return [fit_plane(assets.picture(image).pixels, plan.fitted)]
        step = max(assets.film(image).fps / self.sampling.fps, 1e-6)
        back = [round(k * step) for k in range(1 + self.sampling.chunk)]
        last = deque(assets.frames(image), maxlen=1 + back[-1])
        if len(last) <= back[-1]:
            back = back[:1]  # too short to show motion
        return [fit_plane(last[-1 - index], plan.fitted) for index in reversed(back)]

    def _sampled(
        self, frames: list[Frame], request: Request, plan: Plan, assets: Assets, hooks: Hooks
    ) -> list[Frame]:
        size = working_size(plan.video.width, plan.video.height, self.sampling)
        known = np.stack([_small(frame, size) for frame in frames])
        before = len(known) - 1
        arrays: dict[str, NDArray[Any]] = {
            "known": known,
            "features": self._features(frames[-1], size),
        }
        field = request.one(GivenField)
        if field is not None:
            arrays["velocity"] = self._velocity(assets.content(field.file), before, plan.video)
        words, steps = request.one(Words), request.one(Steps)
        guidance = request.one(Guidance)
        with Child(LIMITS, called="the video model") as child:
            answers = child.ask(
                "vivant.video.worker:sample",
                arrays,
                folder=str(self.bundle.folder),
                count=before + plan.video.count,
                seed=request.seed,
                strength=math.prod(control.factor for control in request.all(Strength)),
                words=words.text if words else "",
                steps=steps.count if steps else self.sampling.steps,
                guidance=guidance.scale if guidance else self.sampling.guidance,
            )
            return list(_heard(answers, hooks)[before:])

    def _features(self, frame: Frame, size: tuple[int, int]) -> Floats:
        guests = Guests(self.runtime.depth, self.runtime.kinds)
        scene = scene_of(Picture(frame), self.runtime.threads, guests)
        grid = size[1] // self.sampling.space, size[0] // self.sampling.space
        return fitted(features_of(scene), WHOLE, grid)

    def _velocity(self, content: bytes, before: int, video: VideoSpec) -> Floats:
        """A field at the middles between frames; its first value for what went before."""
        field = field_from(content, "The field")
        middles = (np.arange(-before, video.count - 1) + 0.5) / video.fps
        rows = [velocity_at(field, float(max(at, 0.0))) for at in middles]
        return np.stack(rows).astype(np.float32)


def _small(frame: Frame, size: tuple[int, int]) -> Frame:
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def _heard(answers: Iterator[Answer], hooks: Hooks) -> NDArray[np.uint8]:
    for answer in answers:
        if "frames" in answer.arrays:
            return answer.arrays["frames"]
        hooks.report("sampling", float(answer.facts.get("share", 0.0)))
    raise BundleError("The video model gave no frames.")


def load(bundle: Bundle, runtime: Runtime) -> VideoModel:
    """Open a bundle of the video family; nothing heavy is read. Raises BundleError where its
    weights lack or what it says of its sampling is damaged."""
    bundle.file(WEIGHTS)
    return VideoModel(bundle, parameters(bundle, "sampling", SAMPLING), runtime)
