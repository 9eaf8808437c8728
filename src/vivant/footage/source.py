"""Footage as edits read it: frames of the clip's size, and small ones of all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.asset import Asset, Assets
from vivant.clip import FilmInfo, Frame, Sound
from vivant.data.shots import find_cuts
from vivant.errors import MediaError, UsageError
from vivant.media.framing import frame_size
from vivant.media.resize import fit_plane
from vivant.request import MAX_SECONDS, Request, Target

SMALL = 96
"""Short side of the frames that whole clips are looked through by."""


@dataclass(frozen=True, eq=False)
class Footage:
    """One clip: ``size`` (width, height) is that of the frames that leave, ``heard`` whether its
    sound leaves with them."""

    asset: Asset
    assets: Assets
    info: FilmInfo
    size: tuple[int, int]
    heard: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what is changed although nobody asked for it."""
        own = (self.info.width, self.info.height)
        lost = () if own == self.size else (f"Frames of {own[0]}x{own[1]} are brought to"
                                            f" {self.size[0]}x{self.size[1]}.",)  # fmt: skip
        silent = ("The sound is left out.",) if self.info.sound and not self.heard else ()
        return (*self.info.notes, *lost, *silent)

    def sound(self) -> Sound | None:
        """What is heard in the clip, None where nothing is. Raises MediaError."""
        return self.assets.sound(self.asset) if self.heard else None

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """The frames from ``start`` to ``stop``, decoded anew at each call. Raises MediaError."""
        for frame in islice(self.assets.frames(self.asset), start, stop):
            yield np.asarray(fit_plane(frame, self.size), np.uint8)

    @cached_property
    def small(self) -> NDArray[np.uint8]:
        """All frames ``[T, h, w, 3]``, their short side `SMALL` at most."""
        scale = min(1.0, SMALL / min(self.size))
        size = (max(2, round(self.size[0] * scale)), max(2, round(self.size[1] * scale)))
        few = [
            cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
            for frame in self.assets.frames(self.asset)
        ]
        if not few:
            raise MediaError(f"{self.asset.name} holds no frames.")
        return np.stack(few)

    @cached_property
    def shots(self) -> tuple[tuple[int, int], ...]:
        """(start, stop) of what lies between cuts."""
        edges = [0, *find_cuts(self.small), len(self.small)]
        return tuple(pairwise(edges))


def footage_of(request: Request, assets: Assets, target: Target) -> Footage:
    """The clip that a request is about. Raises UsageError where there is none, where it is a single
    frame, or longer than can be worked on."""
    asset = request.keyframes[0].image
    if asset.kind != "clip":
        raise UsageError(f"{asset.name} is a picture; this takes a clip (try `vivant animate`).")
    info = assets.film(asset)
    if info.count < 2:
        raise UsageError(f"{asset.name} is one frame; animate it with `vivant animate`.")
    if info.count / info.fps > MAX_SECONDS:
        raise UsageError(f"{asset.name} is over {MAX_SECONDS:g} s long; cut out the part you need.")
    size = frame_size((info.width, info.height), request.size, replace(target, short=None))
    return Footage(asset, assets, info, size, heard=info.sound and target.sound)
