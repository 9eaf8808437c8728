"""Stable Video Diffusion (Blattmann et al., 2023) behind the seam: plan here, sampling in a child.

What it returns is made exact by `vivant.rendering.carried`: frame 0 is the picture itself.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from vivant.adapters.layout import Checkpoint, read_checkpoint
from vivant.asset import Assets
from vivant.bundle import Bundle
from vivant.child import Child, Limits
from vivant.clip import Frame, VideoSpec
from vivant.controls.strength import Strength
from vivant.errors import BundleError, UnsupportedControl
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

PIPELINE = "StableVideoDiffusionPipeline"
FPS = 7
"""Frames a second that it was trained for."""
AREA = 576 * 1024
MULTIPLE = 64
"""Pixels: 8 of the latent's, and three halvings inside the network."""
BUCKET = 127
"""Its measure of motion that stands for strength 1; 255 is the most."""
STEP_SECONDS = 3600.0
FLOAT = 4
"""Bytes; everything runs in float32 on a CPU."""
ACTIVATIONS = 3600
"""Bytes for each pixel, a rough allowance for what is under way."""
CAPABILITIES = Capabilities(
    controls=("strength",), sizes="the picture's", frames="2 to what it was trained for"
)


@dataclass(frozen=True)
class VideoDiffusion:
    """A checkpoint of SVD or SVD-XT; it is loaded when a clip is sampled, in its own process."""

    identity: ModelIdentity
    checkpoint: Checkpoint
    runtime: Runtime

    @property
    def capabilities(self) -> Capabilities:
        """See `vivant.request.Capabilities`."""
        return CAPABILITIES

    @property
    def most_frames(self) -> int:
        """How long a clip it was trained for."""
        return int(self.checkpoint.configs["unet"]["num_frames"])

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
        count = min(self.most_frames, max(2, round(request.seconds * FPS)))
        video = VideoSpec(*size, float(FPS), count)
        return Plan(video, size, framing_notes(picture.size, size) + self._notes(request, video))

    def _notes(self, request: Request, video: VideoSpec) -> tuple[str, ...]:
        width, height = working_size((video.width, video.height))
        need = memory_of(self.checkpoint, video) / 2**30
        notes = [
            f"The model works at {width}x{height} in float32 on the CPU, no offload, and needs"
            f" about {need:.1f} GiB; the clip is brought to {video.width}x{video.height} with the"
            " picture's own detail.",
            f"Licence of the weights: {self.checkpoint.licence}.",
        ]
        if round(request.seconds * FPS) != video.count:
            notes.append(
                f"The model makes 2 to {self.most_frames} frames: {video.seconds:.2g} s instead"
                f" of {request.seconds:g} s."
            )
        if request.fps not in (None, FPS):
            notes.append(f"The model makes {FPS} frames a second, not {request.fps:g}.")
        return tuple(notes)

    def generate(self, request: Request, plan: Plan, assets: Assets, hooks: Hooks) -> Result:
        """See `vivant.request.Generator`. The whole clip is sampled here."""
        clock = time.monotonic()
        picture = fit_plane(assets.picture(request.keyframes[0].image).pixels, plan.fitted)
        small = cv2.resize(picture, working_size(plan.fitted), interpolation=cv2.INTER_AREA)
        clip = self._sampled(np.asarray(small, np.uint8), request, plan, hooks)
        return Result(
            plan,
            lambda: FrameStream(carry(picture, clip)),
            self.identity,
            SourceType.SYNTHETIC,
            timings={"sampling": time.monotonic() - clock},
        )

    def _sampled(self, small: Frame, request: Request, plan: Plan, hooks: Hooks) -> list[Frame]:
        memory = self.runtime.memory_mib or 1 << 20
        with Child(Limits(STEP_SECONDS, memory), called="the video model") as child:
            answers = child.ask(
                "vivant.adapters.worker:sample",
                {"picture": small},
                folder=str(self.checkpoint.folder),
                frames=plan.video.count,
                fps=FPS,
                seed=request.seed,
                bucket=bucket_of(request),
            )
            for answer in answers:
                if "frames" in answer.arrays:
                    return list(answer.arrays["frames"])
                facts = answer.facts
                hooks.report("sampling", facts.get("step", 0) / facts.get("steps", 1))
        raise BundleError(f"The model {self.identity.name} gave no frames.")


def bucket_of(request: Request) -> int:
    """The model's measure of motion for the strength that is asked for."""
    factor = math.prod(control.factor for control in request.all(Strength))
    return round(min(255.0, BUCKET * factor))


def working_size(size: tuple[int, int]) -> tuple[int, int]:
    """The size nearest to that of the frames that the model takes; what is stretched by it is
    undone when the clip is brought back."""
    scale = min(1.0, math.sqrt(AREA / (size[0] * size[1])))
    width, height = (max(1, round(side * scale / MULTIPLE)) * MULTIPLE for side in size)
    return width, height


def memory_of(checkpoint: Checkpoint, video: VideoSpec) -> int:
    """Bytes that a clip needs, roughly: weights, and what is under way."""
    weights = sum(checkpoint.parameters(name) for name in checkpoint.tensors) * FLOAT
    return weights + ACTIVATIONS * math.prod(working_size((video.width, video.height)))


def load(bundle: Bundle, runtime: Runtime) -> VideoDiffusion:
    """The model that a bundle of the family svd points to; nothing heavy is read.

    Raises BundleError where the checkpoint has gone or is of another class.
    """
    checkpoint = read_checkpoint(Path(str(bundle.config.get("checkpoint"))), hashed=False)
    check(checkpoint)
    return VideoDiffusion(bundle.identity, checkpoint, runtime)


def check(checkpoint: Checkpoint) -> None:
    """Raises BundleError where a checkpoint is none of this family."""
    if checkpoint.pipeline != PIPELINE:
        raise BundleError(
            f"{checkpoint.folder} holds a {checkpoint.pipeline or 'model of no name'}; this version"
            f" runs {PIPELINE}."
        )
    if not isinstance(checkpoint.configs.get("unet", {}).get("num_frames"), int):
        raise BundleError(f"{checkpoint.folder / 'unet'} does not state num_frames.")
