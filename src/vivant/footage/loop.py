"""Footage that closes without a seam."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vivant.asset import Assets
from vivant.clip import Frame, Sound, VideoSpec
from vivant.controls.edits import Looped
from vivant.footage.closing import travelling, turned, unexplained
from vivant.footage.cut import LEAST_BLEND, Cut, best_cut
from vivant.footage.forth import Forth, forth_and_back, frames_of
from vivant.footage.hearing import closed
from vivant.footage.piece import Piece
from vivant.footage.source import Footage, footage_of
from vivant.request import Request, Target

MOST_FRAMES = 1500
"""Frames that are looked through for places to close at."""
MEMORY = 512 << 20
"""Bytes of frames that go into a closing."""
UNLIKE, UNEXPLAINED = 11.0, 12.0
"""Levels from which on two places are not alike; and that motion may leave of it until one is seen
through the other (of 13 clips: up to 9.6 where it is bent, from 15 where it is seen)."""
TRAVELS = 0.02
"""Share of the picture in which things are elsewhere where it closes, from which that is said."""


def looped(request: Request, assets: Assets, target: Target) -> Piece:
    """A part of the longest shot of a clip that begins again without a jump; forth and back where
    that is asked for, or where nothing looks the same again. Raises UsageError where it is too
    short for that."""
    footage = footage_of(request, assets, target)
    asked = request.one(Looped) or Looped()
    start, stop = max(footage.shots, key=lambda shot: shot[1] - shot[0])
    seen = footage.small[start : min(stop, start + MOST_FRAMES)]
    notes = (*footage.notes, *_part_notes(footage, start, len(seen)))
    most = max(LEAST_BLEND, MEMORY // (footage.size[0] * footage.size[1] * 3))
    if not asked.back:
        cut = best_cut(seen, footage.info.fps, asked.seconds, most // 2)
        if asked.back is False or not never_again(seen, cut):
            return _closed(footage, start, seen, cut, notes)
        notes = (*notes, "No two places of the clip look alike.")
    forth = forth_and_back(start, start + len(seen), footage.info.fps, asked.seconds)
    return _there_and_back(footage, forth, most, notes)


def never_again(seen: NDArray[np.uint8], cut: Cut) -> bool:
    """Whether what leads to the end of frames ``[T, h, w, 3]`` is so unlike what leads to the start
    that one would be seen through the other."""
    return cut.apart > UNLIKE and unexplained(*_runs(seen, cut)) > UNEXPLAINED


def _runs(seen: NDArray[np.uint8], cut: Cut) -> tuple[list[Frame], list[Frame]]:
    """What leads to the end of a loop, and what leads to its start."""
    tail = seen[cut.stop - cut.blend : cut.stop]
    return list(tail), list(seen[cut.start - cut.blend : cut.start])


def _closed(
    footage: Footage, first: int, seen: NDArray[np.uint8], cut: Cut, notes: tuple[str, ...]
) -> Piece:
    return Piece(
        VideoSpec(*footage.size, footage.info.fps, cut.count),
        lambda: _frames(footage, first, cut),
        (*notes, *_notes(footage, first, cut), *_travel_notes(seen, cut)),
        sound=lambda: _sound(footage, first, cut),
    )


def _there_and_back(footage: Footage, forth: Forth, most: int, notes: tuple[str, ...]) -> Piece:
    silent = replace(footage, heard=False)
    if footage.heard:
        notes = (*notes, *(set(silent.notes) - set(footage.notes)))
    begin, end = (at / footage.info.fps for at in (forth.start, forth.stop - 1))
    return Piece(
        VideoSpec(*footage.size, footage.info.fps, forth.count),
        lambda: frames_of(silent, forth, most),
        (*notes, f"The loop shows the clip from {begin:.2f} to {end:.2f} s and back again."),
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
    share = float(travelling(*_runs(seen, cut)).mean())
    if share > TRAVELS:
        yield (
            f"In {share:.0%} of the picture something has travelled where the loop closes: it may"
            " come and go at once there."
        )


def _part_notes(footage: Footage, start: int, seen: int) -> Iterator[str]:
    info = footage.info
    if len(footage.shots) > 1:
        yield f"The clip has cuts; the loop is made of what begins at {start / info.fps:.2f} s."
    elif seen < info.count:
        yield f"The first {seen / info.fps:.0f} s were looked through."


def _notes(footage: Footage, start: int, cut: Cut) -> Iterator[str]:
    info = footage.info
    begin, end = ((start + at) / info.fps for at in (cut.start, cut.stop))
    yield (
        f"The loop shows the clip from {begin:.2f} to {end:.2f} s and closes in"
        f" {cut.blend / info.fps:.2f} s."
    )
    if cut.apart > UNLIKE:
        yield "No two places of the clip look alike; where it closes may be seen."
