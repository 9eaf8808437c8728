"""Footage that closes without a seam."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vivant.asset import Assets
from vivant.clip import Frame, Sound, VideoSpec
from vivant.controls.edits import Looped
from vivant.footage.closing import travelling, turned
from vivant.footage.cut import Cut, best_cut
from vivant.footage.hearing import closed
from vivant.footage.piece import Piece
from vivant.footage.source import Footage, footage_of
from vivant.request import Request, Target

MOST_FRAMES = 1500
"""Frames that are looked through for places to close at."""
MEMORY = 512 << 20
"""Bytes of frames that go into a closing."""
UNLIKE = 14.0
"""Levels from which on two places are not alike."""
TRAVELS = 0.02
"""Share of the picture in which things are elsewhere where it closes, from which that is said."""


def looped(request: Request, assets: Assets, target: Target) -> Piece:
    """A part of the longest shot of a clip that begins again without a jump. Raises UsageError
    where it is too short for that."""
    footage = footage_of(request, assets, target)
    start, stop = max(footage.shots, key=lambda shot: shot[1] - shot[0])
    seen = footage.small[start : min(stop, start + MOST_FRAMES)]
    seconds = (request.one(Looped) or Looped()).seconds
    size = footage.size[0] * footage.size[1] * 3
    cut = best_cut(seen, footage.info.fps, seconds, MEMORY // (2 * size))
    video = VideoSpec(*footage.size, footage.info.fps, cut.count)
    notes = (*footage.notes, *_notes(footage, start, len(seen), cut), *_travel_notes(seen, cut))
    return Piece(
        video,
        lambda: _frames(footage, start, cut),
        notes,
        sound=lambda: _sound(footage, start, cut),
    )


def _sound(footage: Footage, first: int, cut: Cut) -> Sound | None:
    sound, fps = footage.sound(), footage.info.fps
    begin, end = ((first + at) / fps for at in (cut.start, cut.stop))
    return None if sound is None else closed(sound, begin, end, cut.blend / fps)


def _frames(footage: Footage, first: int, cut: Cut) -> Iterator[Frame]:
    lead: list[Frame] = []
    tail: list[Frame] = []
    begin = first + cut.start - cut.blend
    for index, frame in enumerate(footage.frames(begin, first + cut.stop)):
        if index < cut.blend:
            lead.append(frame)
        if index >= cut.count:
            tail.append(frame)
        elif index >= cut.blend:
            yield frame
    yield from turned(tail, lead)


def _travel_notes(seen: NDArray[np.uint8], cut: Cut) -> Iterator[str]:
    lead = seen[cut.start - cut.blend : cut.start]
    tail = seen[cut.stop - cut.blend : cut.stop]
    share = float(travelling(list(tail), list(lead)).mean())
    if share > TRAVELS:
        yield (
            f"In {share:.0%} of the picture something has travelled where the loop closes: it may"
            " come and go at once there."
        )


def _notes(footage: Footage, start: int, seen: int, cut: Cut) -> Iterator[str]:
    info = footage.info
    if len(footage.shots) > 1:
        yield f"The clip has cuts; the loop is made of what begins at {start / info.fps:.2f} s."
    elif seen < info.count:
        yield f"The first {seen / info.fps:.0f} s were looked through."
    begin, end = ((start + at) / info.fps for at in (cut.start, cut.stop))
    yield (
        f"The loop shows the clip from {begin:.2f} to {end:.2f} s and closes in"
        f" {cut.blend / info.fps:.2f} s."
    )
    if cut.apart > UNLIKE:
        yield "No two places of the clip look alike; where it closes may be seen."
