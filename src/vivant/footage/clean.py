"""A model's clip made to begin with the very picture it was made from, its colours held steady."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vivant.asset import Assets
from vivant.clip import Frame, VideoSpec
from vivant.controls.finish import SteadyColour
from vivant.errors import UsageError
from vivant.footage.piece import Piece
from vivant.footage.source import Footage, footage_of
from vivant.media.framing import frame_size
from vivant.media.resize import fit_plane
from vivant.rendering.carried import carry
from vivant.rendering.drift import Drift, drift_of
from vivant.rendering.explained import SHORT
from vivant.request import Request, SourceType, Target

STRETCHED = 0.02
"""Difference of aspects from which a clip may be its picture squeezed, not cut."""
SOFTER = 1.5
"""Times by which frames are larger than the clip's own from which detail is trusted only where
motion explains it."""
MOST_SEEN = 240
"""Frames of a clip that its drift is measured on."""
LEAST_ALIKE = 0.6
"""Correlation with the picture of what a clip of it begins with, on few pixels."""


@dataclass(frozen=True, eq=False)
class Cleaned:
    """The frames of one clip, ``size`` (width, height), after its picture ``[H, W, 3]``.

    ``whole``: the clip shows all of the picture, squeezed, where its aspect is another one.
    """

    footage: Footage
    picture: Frame
    whole: bool
    steady: Drift | None

    @property
    def stop(self) -> int:
        """Frames until the first cut: what comes after shows another scene."""
        return self.footage.shots[0][1]

    def frames(self) -> Iterator[Frame]:
        """The frames, the first of them the picture, made anew at each call."""
        yield from carry(self.picture, self._steadied(), gated=self._softer)
        for frame in self._own(self.stop):
            yield np.asarray(cv2.resize(frame, self._size), np.uint8)

    @property
    def _size(self) -> tuple[int, int]:
        return self.picture.shape[1], self.picture.shape[0]

    @property
    def _softer(self) -> bool:
        info = self.footage.info
        return self._size[0] > SOFTER * info.width

    def _own(self, start: int, stop: int | None = None) -> Iterator[Frame]:
        """The clip's frames, cut to the picture's aspect unless they show the whole of it."""
        if not self.whole:
            return self.footage.frames(start, stop)
        own = self.footage.info.width, self.footage.info.height
        return replace(self.footage, size=own).frames(start, stop)

    def _steadied(self) -> Iterator[Frame]:
        last = max(1, self.stop - 1)
        for index, frame in enumerate(self._own(0, self.stop)):
            yield frame if self.steady is None else self.steady.undone(frame, index / last)


def cleaned(request: Request, assets: Assets, target: Target) -> Piece:
    """A clip that begins with the picture of the second key frame, exactly.

    Raises UsageError where there is no such picture, or it shows another scene than the clip.
    """
    if len(request.keyframes) != 2 or request.keyframes[1].image.kind != "picture":
        raise UsageError("`vivant clean` takes one clip and the picture it was made from.")
    footage = footage_of(request, assets, target)
    picture = assets.picture(request.keyframes[1].image)
    first = next(footage.frames(0, 1))
    whole = _squeezed(picture.pixels, first)
    size = _size(request, footage, picture.size, whole, target)
    pixels = np.asarray(fit_plane(picture.pixels, size), np.uint8)
    if _likeness(pixels, first) < LEAST_ALIKE:
        raise UsageError(
            f"{footage.asset.name} does not begin with {picture.name}; name the picture that it"
            " was made from."
        )
    asked = request.one(SteadyColour) is not None
    stop = footage.shots[0][1]
    drift = drift_of(_small(footage, stop)) if asked else None
    video = VideoSpec(*size, request.fps or footage.info.fps, footage.info.count)
    work = Cleaned(replace(footage, size=size), pixels, whole, drift)
    notes = (*work.footage.notes, *_notes(work, drift))
    return Piece(video, work.frames, notes, SourceType.COMPOSITE, footage.sound)


def _squeezed(picture: Frame, first: Frame) -> bool:
    """Whether a clip's first frame shows all of the picture in another aspect, rather than the
    middle of it: whichever is nearer."""
    (h, w), (high, wide) = first.shape[:2], picture.shape[:2]
    if _alike((w, h), (wide, high)):
        return False
    small = (round(SHORT * w / min(h, w)), round(SHORT * h / min(h, w)))
    seen = cv2.resize(first, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    cut = fit_plane(picture, small)
    all_ = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    errors = [float(np.abs(seen - other).mean()) for other in (all_, cut)]
    return errors[0] < errors[1]


def _likeness(picture: Frame, first: Frame) -> float:
    """Correlation -1..1 of two frames that show the same place, in grey on 48 x 48 pixels."""
    few = [cv2.resize(one, (48, 48), interpolation=cv2.INTER_AREA) for one in (picture, first)]
    grey = [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY).astype(np.float32) for one in few]
    a, b = (one - one.mean() for one in grey)
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return 1.0 if size < 1.0 else float((a * b).sum()) / size


def _size(
    request: Request, footage: Footage, picture: tuple[int, int], whole: bool, target: Target
) -> tuple[int, int]:
    """(width, height) of the frames: the clip's own, of the picture's aspect where it shows the
    whole of it; a size that is asked for is one of the picture."""
    info = footage.info
    own = (info.width, round(info.width * picture[1] / picture[0])) if whole else footage.size
    if request.size is None:
        return frame_size(own, None, replace(target, short=None))
    scale = min(picture[0] / own[0], picture[1] / own[1])
    seen = round(own[0] * scale), round(own[1] * scale)
    return frame_size(picture if _alike(own, picture) else seen, request.size, target)


def _alike(a: tuple[int, int], b: tuple[int, int]) -> bool:
    """Whether two sizes are of one aspect, but for rounding."""
    return abs(a[0] * b[1] / (a[1] * b[0]) - 1) < STRETCHED


def _small(footage: Footage, stop: int) -> list[Frame]:
    """Frames of the first shot, few and small, the first and the last of them included."""
    chosen = {round(k) for k in np.linspace(0, stop - 1, min(stop, MOST_SEEN))}
    scale = min(1.0, SHORT / min(footage.size))
    size = (max(16, round(footage.size[0] * scale)), max(16, round(footage.size[1] * scale)))
    return [
        np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
        for index, frame in enumerate(footage.frames(0, stop))
        if index in chosen
    ]


def _notes(work: Cleaned, drift: Drift | None) -> Iterator[str]:
    if work.stop < work.footage.info.count:
        at = work.stop / work.footage.info.fps
        yield f"The clip is cut at {at:.2f} s; what comes after is left as it is."
    if drift is None:
        return
    if drift.amount:
        yield f"Its colours drift by {drift.amount:.1f} levels until the end; that is taken out."
    else:
        yield "No drift of its colours was found; they are left as they are."
