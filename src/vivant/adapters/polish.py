"""A model's clip becomes frames of the picture: exact at first, steady in colour, as fine as it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np

from vivant.clip import Frame, Picture, VideoSpec
from vivant.data.labels import label, working_size
from vivant.field.file import write_field
from vivant.field.motion_field import RATE, MotionField, grid_for
from vivant.field.operations import resample
from vivant.rendering.carried import carry
from vivant.rendering.drift import drift_of, steadied
from vivant.rendering.renderer import render
from vivant.request import Artefact, FrameStream

FADE_SECONDS = 0.5
"""After so long, a model's own detail shows in place of the picture's, by 1/e."""
STILL_SPEED = 0.01
"""Short sides per second; what is slower is not told from the noise of optical flow."""


@dataclass(frozen=True)
class Finished:
    """How to ``open`` the frames, any number of times; ``artefacts`` besides; ``notes``."""

    open: Callable[[], FrameStream]
    artefacts: Mapping[str, Artefact] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def finished(
    picture: Frame,
    clip: list[Frame],
    video: VideoSpec,
    how: str,
    steady: bool,
    last: Frame | None = None,
) -> Finished:
    """``clip``, frames of the model of the picture's aspect, as ``video`` of ``picture``
    ``[H, W, 3]``, frame 0 equal to it, and the last one to ``last`` where there is one. ``how``:
    see `vivant.controls.finish.Rendered`."""
    notes: tuple[str, ...] = ()
    if steady:
        drift = drift_of(clip)
        notes = (f"The colours drifted by {drift.amount:.1f} levels, which was undone.",)
        clip = list(steadied(clip, drift))
    field_ = cache(lambda: field_of(clip, video))
    artefact = Artefact(read=field_, write=lambda path, parts: write_field(path, field_()))

    def frames() -> Iterator[Frame]:
        if how == "field":
            return render(Picture(picture), field_(), video)
        fade = math.inf if how == "hybrid" else FADE_SECONDS * video.fps
        if last is not None:
            return _carried_between(picture, last, clip, fade)
        return carry(picture, clip, gated=True, fade=fade)

    return Finished(lambda: FrameStream(frames()), {"field": artefact}, notes)


def _carried_between(
    picture: Frame, last: Frame, clip: list[Frame], fade: float
) -> Iterator[Frame]:
    """What each picture adds, carried from its end and faded towards the other."""
    back = list(carry(last, clip[::-1], gated=True, fade=fade))[::-1]
    there = carry(picture, clip, gated=True, fade=fade)
    for index, (early, late) in enumerate(zip(there, back, strict=True)):
        share = index / (len(clip) - 1)
        yield np.asarray(cv2.addWeighted(early, 1 - share, late, share, 0), np.uint8)


def field_of(clip: list[Frame], video: VideoSpec) -> MotionField:
    """The motion of a clip ``[T, H, W, 3]`` at ``video.fps`` as a field: velocities by optical flow
    (`vivant.data.labels`), and where hardly anything is seen to move, stillness."""
    width, height = working_size(video.width, video.height)
    small = [cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA) for frame in clip]
    seen = label(np.stack(small), video.fps, video.width / video.height)
    speed = np.linalg.norm(seen.velocity, axis=1).mean(axis=0)
    moves = np.clip(speed / STILL_SPEED, 0, 1).astype(np.float32)
    field_ = MotionField(
        velocity=np.asarray(seen.velocity * moves, np.float32),
        light=np.zeros_like(seen.luminance),
        map=np.asarray(speed * moves, np.float32),
        still=np.asarray(1 - moves, np.float32),
        rate=RATE,
    )
    return resample(field_, grid=grid_for(video.width, video.height))
