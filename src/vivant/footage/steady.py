"""Footage as if its camera had stood where it stood in the first frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame, Plane
from vivant.errors import UsageError
from vivant.footage.camera import farthest, stands
from vivant.footage.source import Footage

STILL = 0.4
"""Pixels of a frame 448 high up to which a camera stands still, and nothing is resampled."""
MOST_LOST = 0.12
"""Share of what moves in the first frame that may leave the picture as the camera shakes."""
SOFT = 0.008
"""Short sides over which what is held goes over into what moves, outside of it."""


@dataclass(frozen=True, eq=False)
class Steady:
    """One shot; ``first`` ``[H, W, 3]`` is its first frame, ``maps`` lead from it to every frame
    (None: the camera stands), ``lost`` ``[H, W]`` is what some frame does not show of it. It is
    for the command that is ``called`` so."""

    footage: Footage
    first: Frame
    maps: tuple[Floats, ...] | None
    lost: NDArray[np.bool_]
    called: str

    def seen(self, frame: Frame, index: int) -> Frame:
        """A frame as the first one's camera sees it."""
        return frame if self.maps is None else back(frame, self.maps[index])

    def check(self, free: NDArray[np.bool_]) -> float:
        """The share of what is ``free`` ``[H, W]`` to move that is lost. Raises UsageError where
        that is too much: the camera moves on."""
        share = float((self.lost & free).sum()) / max(1, int(free.sum()))
        if share > MOST_LOST:
            raise _moves_on(
                self.footage, self.called, f"{share:.0%} of what moves leaves the picture"
            )
        return share

    def frames(self, held: Plane | None = None) -> Iterator[Frame]:
        """All frames so; what is ``held`` ``[H, W]`` (255) or lost is the first one's."""
        plane = np.where(self.lost, np.uint8(255), np.uint8(0) if held is None else held)
        whole = softened(plane)[..., None]
        for index, frame in enumerate(self.footage.frames()):
            if index == 0:
                yield self.first.copy()
                continue
            moved = self.seen(frame, index)
            mixed = moved + whole * (self.first.astype(np.float32) - moved)
            yield np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)


def steadied(footage: Footage, called: str, where: Plane | None = None) -> Steady:
    """Footage with its camera found, in ``where`` ``[H, W]`` (255) if that shows enough. Raises
    UsageError where it has a cut, or its camera moves out of sight of the first frame."""
    if len(footage.shots) > 1:
        at = footage.shots[0][1] / footage.info.fps
        raise UsageError(f"{footage.asset.name} has a cut at {at:.2f} s; {called} takes one shot.")
    first = next(footage.frames(0, 1))
    maps = _maps(footage, called, where)
    return Steady(footage, first, maps, _lost(maps, footage.size), called)


def back(frame: Frame, map_: Floats) -> Frame:
    """A frame as the first frame's camera sees it."""
    size = (frame.shape[1], frame.shape[0])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    out = cv2.warpAffine(frame, map_, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8)


def softened(held: Plane) -> Floats:
    """0..1 ``[H, W]``: a mask that fades out beyond what it covers, which it covers wholly."""
    share = np.asarray(held / np.float32(255), np.float32)
    width = max(1.0, SOFT * min(held.shape))
    outside = np.where(held > 127, np.uint8(0), np.uint8(255))
    if outside.all():
        return share
    away = cv2.distanceTransform(outside, cv2.DIST_L2, 3)
    fade = np.clip(1 - away / (2 * width), 0, 1)
    return np.asarray(np.maximum(share, fade * fade * (3 - 2 * fade)), np.float32)


def _maps(footage: Footage, called: str, where: Plane | None) -> tuple[Floats, ...] | None:
    """Where the camera stands in every frame; None where it does not move."""
    found = stands(footage.frames(), where)
    sound = [map_ for map_ in found if map_ is not None]
    if len(sound) < len(found):
        if len(sound) == 1:  # nothing to hold on to: fog, water everywhere
            return None
        at = len(sound) / footage.info.fps
        raise _moves_on(footage, called, f"at {at:.2f} s the first frame is out of sight")
    moved = max(farthest(map_, footage.size) for map_ in sound)
    return None if moved < STILL * min(footage.size) / 448 else tuple(sound)


def _moves_on(footage: Footage, called: str, why: str) -> UsageError:
    return UsageError(
        f"The camera of {footage.asset.name} moves on ({why}); {called} takes a camera that stands"
        " or shakes."
    )


def _lost(maps: tuple[Floats, ...] | None, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Places ``[H, W]`` of the first frame that some frame does not show."""
    shown = np.full((size[1], size[0]), 255, np.uint8)
    whole = shown.copy()
    for map_ in maps or ():
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        np.minimum(shown, cv2.warpAffine(whole, map_, size, flags=flags), out=shown)
    return np.asarray(shown < 255)
