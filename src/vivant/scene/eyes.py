"""The installed eyes: what the built-in networks, and those that a user brought, see."""

from __future__ import annotations

from collections import OrderedDict
from functools import cache
from math import ceil

from vivant.bundle import BUILTIN, open_bundle
from vivant.clip import Frame, Picture
from vivant.kinds import INDEX, KINDS
from vivant.scene import network
from vivant.scene.guests import Guests, look_again
from vivant.scene.mattes import Mattes
from vivant.scene.mattes import mattes as _mattes
from vivant.scene.network import Eyes
from vivant.scene.record import Scene

FOLDER = BUILTIN / "scene"
KEPT = 4
"""Scenes of the last pictures that are kept, since one clip asks several times."""
_seen: OrderedDict[tuple[str, Guests], Scene] = OrderedDict()


@cache
def builtin_eyes(threads: int = 0) -> Eyes:
    """The released networks. Raises BundleError where they cannot be loaded."""
    return network.open_eyes(open_bundle(FOLDER), threads)


def see(pixels: Frame, threads: int = 0, guests: Guests = Guests()) -> Scene:  # noqa: B008
    """What a picture ``[H, W, 3]`` uint8 sRGB shows; the same picture gives the same scene.

    ``guests`` are networks of the user's own, which win where they are given. Raises BundleError
    where a network cannot be run.
    """
    return look_again(network.see(builtin_eyes(threads), pixels), pixels, guests)


def scene_of(picture: Picture, threads: int = 0, guests: Guests = Guests()) -> Scene:  # noqa: B008
    """As `see`, remembered for the last few pictures that have a hash."""
    key = (picture.sha256, guests)
    if picture.sha256 and key in _seen:
        return _seen[key]
    scene = see(picture.pixels, threads, guests)
    if picture.sha256:
        _seen[key] = scene
        while len(_seen) > KEPT:
            _seen.popitem(last=False)
    return scene


def beings(picture: Picture, box: tuple[float, float, float, float]) -> float:
    """How surely 0..1 somebody is in a ``box`` (left, top, right, lower edge as shares) of a
    picture: the surest cell, people, animals, hair and clothes together."""
    kinds = scene_of(picture).kinds
    share = kinds[INDEX["being"]] + kinds[INDEX["cloth"]]
    h, w = share.shape
    left, top, right, low = box
    rows = slice(min(h - 1, int(top * h)), max(int(top * h) + 1, ceil(low * h)))
    columns = slice(min(w - 1, int(left * w)), max(int(left * w) + 1, ceil(right * w)))
    return float(share[rows, columns].max())


def mattes(scene: Scene, pixels: Frame, kinds: tuple[str, ...] = KINDS, threads: int = 0) -> Mattes:
    """Mattes of ``kinds`` for a picture ``[H, W, 3]`` and its scene; see `vivant.scene.mattes`."""
    return _mattes(builtin_eyes(threads), scene, pixels, kinds)
