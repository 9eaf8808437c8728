"""A cinemagraph from footage: what is held is the first frame's, the rest goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.asset import Assets
from vivant.clip import Floats, Frame, Plane, VideoSpec
from vivant.controls.kinds import HoldKind
from vivant.controls.mask import Still
from vivant.errors import MediaError, UsageError
from vivant.footage.camera import farthest, stands
from vivant.footage.piece import Means, Piece
from vivant.footage.source import Footage, footage_of
from vivant.media.resize import fit_plane
from vivant.request import Request, Target
from vivant.scene import eyes
from vivant.scene.guests import Guests

LOOKS = 5
"""Frames on which a kind is looked for: what it covers in any of them is held."""
STILL = 0.4
"""Pixels of a frame 448 high up to which a camera stands still, and nothing is resampled."""
MOST_LOST = 0.12
"""Share of the first frame's free part that may leave the picture as the camera shakes."""
SOFT = 0.008
"""Short sides over which what is held goes over into what moves, outside of it."""


@dataclass(frozen=True, eq=False)
class Frozen:
    """``first`` ``[H, W, 3]`` holds as far as ``held`` ``[H, W]`` 0..1 says; the frames are brought
    to where the first one's camera stood by ``maps`` (None: they need not be)."""

    footage: Footage
    first: Frame
    held: Floats
    maps: tuple[Floats, ...] | None

    def frames(self) -> Iterator[Frame]:
        """The frames, made anew at each call."""
        whole = self.held[..., None]
        for index, frame in enumerate(self.footage.frames()):
            if index == 0:
                yield self.first.copy()
                continue
            steady = frame if self.maps is None else back(frame, self.maps[index])
            mixed = steady + whole * (self.first.astype(np.float32) - steady)
            yield np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)


def frozen(request: Request, assets: Assets, target: Target, means: Means) -> Piece:
    """Footage in which kinds or masks hold as they are in the first frame, to the bit.

    Raises UsageError where nothing is to be held, the clip has a cut, or its camera moves on.
    """
    footage = footage_of(request, assets, target)
    if len(footage.shots) > 1:
        at = footage.shots[0][1] / footage.info.fps
        raise UsageError(f"{footage.asset.name} has a cut at {at:.2f} s; freeze one shot of it.")
    first = next(footage.frames(0, 1))
    masks = _masks(request, assets, footage)
    maps = _maps(footage, first, np.maximum.reduce(masks) if masks else None)
    kinds = tuple(control.kind for control in request.all(HoldKind))
    if kinds:
        masks.append(_kinds(footage, kinds, maps, means.guests))
    if not masks:
        raise UsageError("Say what shall hold: --hold being, --hold built, or --hold mask.png.")
    held = np.maximum.reduce(masks)
    lost = _lost(maps, footage.size)
    free = held < 128
    share = float((lost & free).sum()) / max(1, int(free.sum()))
    if share > MOST_LOST:
        raise UsageError(
            f"The camera of {footage.asset.name} moves on ({share:.0%} of what shall move leaves"
            " the picture); freeze takes a camera that stands or shakes."
        )
    work = Frozen(footage, first, softened(np.where(lost, np.uint8(255), held)), maps)
    video = VideoSpec(*footage.size, footage.info.fps, footage.info.count)
    notes = (*footage.notes, *_notes(maps, held, share))
    return Piece(video, work.frames, notes, sound=footage.sound)


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


def _masks(request: Request, assets: Assets, footage: Footage) -> list[Plane]:
    found = [assets.mask(control.mask).values for control in request.all(Still)]
    return [np.asarray(fit_plane(values, footage.size), np.uint8) for values in found]


def _maps(footage: Footage, first: Frame, where: Plane | None) -> tuple[Floats, ...] | None:
    """Where the camera stands in every frame; None where it does not move."""
    found = stands(footage.frames(), where)
    sound = [map_ for map_ in found if map_ is not None]
    if len(sound) < len(found):
        if len(sound) == 1:  # nothing to hold on to: fog, water everywhere
            return None
        at = len(sound) / footage.info.fps
        raise UsageError(
            f"The camera of {footage.asset.name} moves on (at {at:.2f} s the first frame is out of"
            " sight); freeze takes a camera that stands or shakes."
        )
    moved = max(farthest(map_, footage.size) for map_ in sound)
    return None if moved < STILL * min(footage.size) / 448 else tuple(sound)


def _kinds(
    footage: Footage, kinds: tuple[str, ...], maps: tuple[Floats, ...] | None, guests: Guests
) -> Plane:
    """Where kinds are in any of a few frames, as the first one's camera sees it. Raises MediaError
    where they are in none."""
    count = footage.info.count
    chosen = {round(at) for at in np.linspace(0, count - 1, min(LOOKS, count))}
    total: NDArray[np.uint8] | None = None
    for index, frame in enumerate(footage.frames()):
        if index not in chosen:
            continue
        steady = frame if maps is None else back(frame, maps[index])
        scene = eyes.see(steady, guests=guests)
        mattes = eyes.mattes(scene, steady, kinds)
        seen = np.sum([mattes.of(kind).astype(np.uint16) for kind in kinds], axis=0)
        plane = np.asarray(np.minimum(seen, 255), np.uint8)
        total = plane if total is None else np.maximum(total, plane)
    if total is None or not total.any():
        raise MediaError(f"{footage.asset.name} shows no {' or '.join(kinds)}; hold a mask.")
    return total


def _lost(maps: tuple[Floats, ...] | None, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Places ``[H, W]`` of the first frame that some frame does not show."""
    shown = np.full((size[1], size[0]), 255, np.uint8)
    whole = shown.copy()
    for map_ in maps or ():
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        np.minimum(shown, cv2.warpAffine(whole, map_, size, flags=flags), out=shown)
    return np.asarray(shown < 255)


def _notes(maps: tuple[Floats, ...] | None, held: Plane, lost: float) -> Iterator[str]:
    share = float((held > 127).mean())
    yield f"{share:.0%} of the picture holds as it is in the first frame."
    if maps is not None:
        yield f"The camera is steadied; what leaves the picture holds as well ({lost:.0%})."
