"""Through several pictures, and footage at another rate or speed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from vivant.asset import Assets
from vivant.clip import Frame, VideoSpec
from vivant.controls.edits import Between as ThroughPictures
from vivant.controls.edits import Retime
from vivant.errors import UsageError
from vivant.footage.between import Between
from vivant.footage.piece import Piece
from vivant.footage.scenes import same_scene
from vivant.footage.source import footage_of
from vivant.media.framing import frame_size, framing_notes
from vivant.media.resize import fit_plane
from vivant.request import MAX_SECONDS, Request, Target

FPS = 24.0
CLOSE = 0.02
"""Share of a frame's step at which the frame itself is taken."""


def through_pictures(request: Request, assets: Assets, target: Target) -> Piece:
    """One clip that shows every key frame of a request, and what is between them.

    Raises UsageError where there are fewer than two, their times do not rise, or two that follow
    each other show different scenes and no dissolve is asked for.
    """
    pictures = [assets.picture(keyframe.image) for keyframe in request.keyframes]
    if len(pictures) < 2:
        raise UsageError("`vivant between` takes two pictures or more.")
    size = frame_size(pictures[0].size, request.size, target)
    frames = [np.asarray(fit_plane(p.pixels, size), np.uint8) for p in pictures]
    control = request.one(ThroughPictures) or ThroughPictures()
    same = [same_scene(a, b) for a, b in itertools.pairwise(frames)]
    for index, found in enumerate(same):
        if not (found or control.dissolve):
            first, second = pictures[index].name, pictures[index + 1].name
            raise UsageError(
                f"{first} and {second} show different scenes, between which nothing moves;"
                " --dissolve cross-fades them."
            )
    fps = request.fps or target.fps or FPS
    places = _places([k.at for k in request.keyframes], fps)
    video = VideoSpec(*size, fps, places[-1] + 1)
    notes = framing_notes(pictures[0].size, size)
    return Piece(video, lambda: _through(frames, places, same), notes)


def _places(times: list[float], fps: float) -> list[int]:
    places = [round((at - times[0]) * fps) for at in times]
    if any(b <= a for a, b in itertools.pairwise(places)):
        raise UsageError("The pictures must follow each other, a frame apart at least.")
    return places


def _through(frames: Sequence[Frame], places: list[int], same: list[bool]) -> Iterator[Frame]:
    for index, found in enumerate(same):
        a, b = frames[index], frames[index + 1]
        steps = places[index + 1] - places[index]
        pair = Between(a, b)
        for step in range(steps):
            yield pair.at(step / steps) if found else faded(a, b, step / steps)
    yield frames[-1].copy()


def faded(a: Frame, b: Frame, share: float) -> Frame:
    """A cross-fade of two frames."""
    mixed = (1 - share) * a.astype(np.float32) + share * b.astype(np.float32)
    return np.asarray(np.rint(mixed), np.uint8)


def retimed(request: Request, assets: Assets, target: Target) -> Piece:
    """Footage at another speed or rate; no frame is made up across a cut."""
    footage = replace(footage_of(request, assets, target), heard=False)
    info = footage.info
    speed = (request.one(Retime) or Retime()).speed
    fps = request.fps or info.fps
    step = speed * info.fps / fps
    count = int((info.count - 1) / step + 1e-6) + 1
    if count / fps > MAX_SECONDS:
        raise UsageError(f"So slow the clip lasts {count / fps:.0f} s; {MAX_SECONDS:g} s are most.")
    video = VideoSpec(*footage.size, fps, count)

    def frames() -> Iterator[Frame]:
        starts = {start for start, _ in footage.shots}
        return _steps(footage.frames(), count, step, starts)

    idle = ("The speed and the rate are the clip's own: retime changes nothing.",)
    return Piece(video, frames, footage.notes + (idle if step == 1 else ()))


def _steps(frames: Iterator[Frame], count: int, step: float, starts: set[int]) -> Iterator[Frame]:
    """Frames at every ``step`` (in frames) of a clip; two are held at a time."""
    before = next(frames)
    pair, at = Between(before, next(frames, before)), 0
    for index in range(count):
        place = index * step
        while place >= at + 1:
            following = next(frames, None)
            at += 1
            pair = Between(pair.b, pair.b if following is None else following)
        share = place - at
        if share < CLOSE or share > 1 - CLOSE or at + 1 in starts:
            yield pair.at(float(round(share)) if at + 1 not in starts else 0.0)
        else:
            yield pair.at(share)
