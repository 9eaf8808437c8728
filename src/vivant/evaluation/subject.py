"""A model under measurement: its clips as users get them, and the motion that it states."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

import numpy as np

from vivant import job
from vivant.bundle import BUILTIN, open_bundle
from vivant.clip import Floats, Frame, Picture
from vivant.controls.camera import Camera
from vivant.controls.entry import Control
from vivant.evaluation.frames import Frames
from vivant.field.motion_field import MotionField
from vivant.media.assets import MemoryAssets
from vivant.motion.sampler import Networks, open_networks, see
from vivant.provenance.policy import Policy
from vivant.provenance.watermark.stamp import marked, stamped
from vivant.request import Generator, Hooks, Keyframe, Request, Result, Target

MEASURING = Policy(consent=True, nudity_screen=False)
"""Nothing leaves."""


@dataclass(frozen=True)
class Subject:
    """A generator, asked for clips of ``seconds`` at ``fps``."""

    generator: Generator
    seconds: float
    fps: float

    def honours(self, *controls: str) -> bool:
        """Whether the model takes all of these controls."""
        return set(controls) <= set(self.generator.capabilities.controls)

    def frames(self, picture: Frame, seed: int = 0, *controls: Control) -> Frames:
        """The frames ``[T, H, W, 3]`` of `clip`."""
        return self.clip(picture, seed, *controls)[0]

    def clip(self, picture: Frame, seed: int = 0, *controls: Control) -> tuple[Frames, float]:
        """The clip of a picture ``[H, W, 3]``, marked as a lossless master is, and its rate."""
        assets = _assets(picture)
        request = self._request(assets, seed, controls)
        made = job.make(request, Target(), assets, self.generator, policy=MEASURING)
        video = made.result.plan.video
        with made.result.open() as frames:
            shown = marked(frames, video, stamped(made.record, video))
            return np.stack(list(shown)), video.fps

    def field(self, picture: Frame, seed: int = 0, *controls: Control) -> MotionField | None:
        """The motion field as rendered, None where the model states none."""
        return self._stated("field", picture, seed, controls)

    def expected(self, picture: Frame, seed: int = 0) -> MotionField | None:
        """The motion that the networks alone expect, None where the model states none."""
        return self._stated("expected", picture, seed, ())

    def _stated(
        self, name: str, picture: Frame, seed: int, controls: tuple[Control, ...]
    ) -> MotionField | None:
        if name not in self.generator.capabilities.artefacts:
            return None
        assets = _assets(picture)
        request = self._request(assets, seed, controls)
        plan = self.generator.plan(request, assets, Target(artefacts=((name, ()),)))
        result: Result = self.generator.generate(request, plan, assets, Hooks())
        found: MotionField = result.artefacts[name].read()
        return found

    def _request(self, assets: MemoryAssets, seed: int, controls: tuple[Control, ...]) -> Request:
        still = () if any(isinstance(control, Camera) for control in controls) else (Camera(),)
        asked = (*controls, *still)  # what moves is measured, not a camera that breathes
        return Request((Keyframe(assets.asset),), asked, self.seconds, self.fps, seed=seed)


def _assets(picture: Frame) -> MemoryAssets:
    """A picture by its hash, so that what is seen in it is seen once."""
    digest = hashlib.sha256(np.ascontiguousarray(picture).data).hexdigest()
    return MemoryAssets(Picture(picture, sha256=digest))


def features(frames: list[Frame]) -> list[float]:
    """Mean over frames of the bundled encoder's features, averaged over the picture, and their
    mean absolute change from frame to frame: ``[2 F]``."""
    rows = np.stack([see(_encoder(), frame).features.mean(axis=0) for frame in frames])
    change: Floats = np.abs(np.diff(rows, axis=0)).mean(axis=0) if len(rows) > 1 else 0 * rows[0]
    return [round(float(v), 4) for v in np.concatenate([rows.mean(axis=0), change])]


@cache
def _encoder() -> Networks:
    """The installed model's: one measure for all, whatever model is measured."""
    return open_networks(open_bundle(BUILTIN))
