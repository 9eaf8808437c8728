"""A cinemagraph from footage: what is held is the first frame's, the rest goes on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vivant.asset import Assets
from vivant.clip import Plane, VideoSpec
from vivant.controls.kinds import HoldKind
from vivant.controls.mask import Still
from vivant.errors import MediaError, UsageError
from vivant.footage.piece import Means, Piece
from vivant.footage.source import Footage, footage_of
from vivant.footage.steady import Steady, steadied
from vivant.media.resize import fit_plane
from vivant.request import Request, Target
from vivant.scene import eyes
from vivant.scene.guests import Guests

LOOKS = 5
"""Frames on which a kind is looked for: what it covers in any of them is held."""


def frozen(request: Request, assets: Assets, target: Target, means: Means) -> Piece:
    """Footage in which kinds or masks hold as they are in the first frame, to the bit.

    Raises UsageError where nothing is to be held, the clip has a cut, or its camera moves on.
    """
    footage = footage_of(request, assets, target)
    masks = _masks(request, assets, footage)
    steady = steadied(footage, "freeze", np.maximum.reduce(masks) if masks else None)
    kinds = tuple(control.kind for control in request.all(HoldKind))
    if kinds:
        masks.append(_kinds(steady, kinds, means.guests))
    if not masks:
        raise UsageError("Say what shall hold: --hold being, --hold built, or --hold mask.png.")
    held = np.maximum.reduce(masks)
    share = steady.check(np.asarray(held < 128))
    video = VideoSpec(*footage.size, footage.info.fps, footage.info.count)
    notes = (*footage.notes, *_notes(steady, held, share))
    return Piece(video, lambda: steady.frames(held), notes, sound=footage.sound)


def _masks(request: Request, assets: Assets, footage: Footage) -> list[Plane]:
    found = [assets.mask(control.mask).values for control in request.all(Still)]
    return [np.asarray(fit_plane(values, footage.size), np.uint8) for values in found]


def _kinds(steady: Steady, kinds: tuple[str, ...], guests: Guests) -> Plane:
    """Where kinds are in any of a few frames, as the first one's camera sees it. Raises MediaError
    where they are in none."""
    footage = steady.footage
    count = footage.info.count
    chosen = {round(at) for at in np.linspace(0, count - 1, min(LOOKS, count))}
    total: NDArray[np.uint8] | None = None
    for index, frame in enumerate(footage.frames()):
        if index not in chosen:
            continue
        seen = steady.seen(frame, index)
        scene = eyes.see(seen, guests=guests)
        mattes = eyes.mattes(scene, seen, kinds)
        share = np.sum([mattes.of(kind).astype(np.uint16) for kind in kinds], axis=0)
        plane = np.asarray(np.minimum(share, 255), np.uint8)
        total = plane if total is None else np.maximum(total, plane)
    if total is None or not total.any():
        raise MediaError(f"{footage.asset.name} shows no {' or '.join(kinds)}; hold a mask.")
    return total


def _notes(steady: Steady, held: Plane, lost: float) -> Iterator[str]:
    share = float((held > 127).mean())
    yield f"{share:.0%} of the picture holds as it is in the first frame."
    if steady.maps is not None:
        yield f"The camera is steadied; what leaves the picture holds as well ({lost:.0%})."
