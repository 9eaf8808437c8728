"""A clip of the same picture, followed: its motion and what is new in it, the user's own pixels.

What a video model makes of a picture is often small, soft and a little off in colour. Its frames
are enlarged, and the difference between the picture and its first frame is carried along by flow,
fine detail only where the flow explains the frame (`vivant.rendering.carried`). Frame 0 is the
picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from vivant.asset import Asset, Assets
from vivant.clip import Frame, Picture, VideoSpec
from vivant.controls.like import Like
from vivant.controls.table import entry_of
from vivant.errors import UnsupportedControl, UsageError
from vivant.footage.scenes import shared
from vivant.media.framing import frame_size, framing_notes
from vivant.media.resize import cut_share, fit_plane
from vivant.rendering.carried import carry
from vivant.request import FrameStream, Plan, Request, Target

SAME = 0.25
"""Share of texture that a clip of the same picture has as well: of 40 first frames made half as
sharp, off in colour and cut by 4 % none has less than 0.39; of 40 other pictures none more than
0.14."""
SHORT = 320


@dataclass(frozen=True)
class _Pair:
    """A clip and a picture, by their content."""

    clip: str
    picture: str
    asset: Asset = field(compare=False)
    whole: Picture = field(compare=False, repr=False)
    assets: Assets = field(compare=False, repr=False)


def is_same(asset: Asset, picture: Picture, assets: Assets) -> bool:
    """Whether a clip begins with a picture, perhaps smaller, softer and cut at its edges;
    remembered for the last few that have a hash."""
    pair = _Pair(asset.sha256, picture.sha256, asset, picture, assets)
    return _compared(pair) if picture.sha256 else _compared.__wrapped__(pair)


@lru_cache(maxsize=4)
def _compared(pair: _Pair) -> bool:
    picture, first = pair.whole, pair.assets.picture(pair.asset).pixels
    scale = min(1.0, SHORT / min(first.shape[:2]))
    size = max(16, round(first.shape[1] * scale)), max(16, round(first.shape[0] * scale))
    small = (fit_plane(np.asarray(x, np.uint8), size) for x in (picture.pixels, first))
    return shared(*small) >= SAME


def follow_plan(request: Request, asset: Asset, assets: Assets, target: Target) -> Plan:
    """What following a clip makes: no longer than the clip, at its rate where none is asked for, of
    its aspect.

    Raises UnsupportedControl for other controls: the clip gives the motion; UsageError where it
    has none.
    """
    for control in request.controls:
        if control.asks and not isinstance(control, Like):
            raise UnsupportedControl(
                f"{asset.name} shows the picture itself and gives all motion: the control"
                f" {entry_of(control).name} cannot be honoured; leave one of them out."
            )
    if target.artefacts:
        raise UnsupportedControl(
            f"A clip that is followed has no {target.artefacts[0][0]} to export; leave that out."
        )
    picture, info = assets.picture(request.keyframes[0].image), assets.film(asset)
    if info.count < 2:
        raise UsageError(f"{asset.name} is one frame and shows no motion; --like takes a clip.")
    size = _size(frame_size(picture.size, request.size, target), (info.width, info.height))
    fps = request.fps or target.fps or info.fps
    lasts = info.count / info.fps
    count = max(1, round(min(request.seconds, lasts) * fps))
    notes = [
        *picture.notes,
        *info.notes,
        f"{asset.name} shows the picture: its motion is followed.",
    ]
    if lasts < request.seconds - 1 / fps:
        notes.append(f"{asset.name} lasts {lasts:.3g} s, and so does what follows it.")
    notes += framing_notes(picture.size, size)
    return Plan(VideoSpec(*size, fps, count), size, tuple(notes))


def followed(request: Request, plan: Plan, asset: Asset, assets: Assets) -> Iterator[Frame]:
    """The frames that were planned."""
    picture = fit_plane(assets.picture(request.keyframes[0].image).pixels, plan.fitted)
    step = assets.film(asset).fps / plan.video.fps
    wanted = [round(index * step) for index in range(plan.video.count)]
    frame, at = picture, -1
    with FrameStream(assets.frames(asset)) as stream:
        made = carry(picture, stream, gated=True)
        for place in wanted:
            while at < place:
                frame, at = next(made, frame), at + 1
            yield frame.copy()


def _size(size: tuple[int, int], clip: tuple[int, int]) -> tuple[int, int]:
    """The largest (width, height) within ``size`` of the aspect of a clip; even."""
    if cut_share(size, clip) < 1 / min(clip):
        return size
    scale = min(size[0] / clip[0], size[1] / clip[1])
    width, height = (max(2, round(side * scale) // 2 * 2) for side in clip)
    return width, height
