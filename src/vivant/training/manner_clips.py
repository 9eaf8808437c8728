"""How near a layer comes to what really happened, for every value of its constants.

Indirect inference (Gouriéroux, Monfort and Renault, 1993): the first frame of a real clip is
animated with each of several values of a constant, one kind at a time, and the statistics over time
of that kind's region (`vivant.data.temporal`) are compared with those of the clip itself.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from vivant.asset import Assets
from vivant.clip import Frame, Picture, Plane
from vivant.data.sources import Source
from vivant.data.temporal import SECONDS, Vector, statistics
from vivant.errors import VivantError
from vivant.media.assets import FileAssets
from vivant.motion.asked import Asked
from vivant.motion.held import Looked, look
from vivant.motion.layered import Motion
from vivant.motion.priors import PRIORS
from vivant.motion.stage import region, staged
from vivant.motion.trial import Manner, camera_stands, layers_of, with_factors
from vivant.request import Runtime

SHORT = 240
"""Short side in pixels at which clips are animated."""
FPS = 24.0
LEAST_REGION = 0.06
"""Share of the picture from which a kind's region is looked at."""


@dataclass(frozen=True, eq=False)
class Seen:
    """One clip in one manner: statistics of the ``real`` clip ``[17]`` and of its animation at
    every place of the grid (None where nothing moved)."""

    clip: str
    manner: str
    real: Vector
    made: list[Vector | None]


def clip_tables(
    sources: list[Source],
    manners: tuple[Manner, ...],
    known: Callable[[str], bool] = lambda clip: False,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[tuple[str, list[Seen]]]:
    """Every clip's name and what is seen of each manner in it; clips ``known`` are left out."""
    for source in sources:
        name = source.path.stem
        if known(name):
            continue
        try:
            yield name, list(_tables(source, manners))
        except VivantError as error:
            say(f"{name}: left out, {error}")
            yield name, []


def _tables(source: Source, manners: tuple[Manner, ...]) -> Iterator[Seen]:
    with FileAssets() as assets:
        frames, fps = read_frames(assets, source)
    if len(frames) < 1.5 * fps:
        return
    looked = look(Picture(frames[0]), Runtime())
    if not camera_stands(frames, looked.holding()):
        return
    seed = zlib.crc32(source.path.stem.encode())
    for manner in manners:
        layers = layers_of(manner, looked, Asked(seed=seed), PRIORS)
        own = [region(looked, layer, frames[0]) for layer in layers]
        joined = np.maximum.reduce(own) if own else np.zeros(1, np.uint8)
        if (joined > 127).mean() < LEAST_REGION:
            continue
        real = statistics(frames, fps, joined)
        if real is None:
            continue
        made = [
            _animated(manner, looked, frames[0], factors, seed, joined) for factors in manner.grid
        ]
        yield Seen(source.path.stem, manner.name, real, made)


def read_frames(assets: Assets, source: Source) -> tuple[list[Frame], float]:
    """The first seconds of a clip, frames ``[h, w, 3]`` scaled to `SHORT`, and their rate."""
    fps = float(source.facts.get("fps") or FPS)
    most = round(SECONDS * fps) + 1
    clip = assets.add(source.path, "clip")  # type: ignore[attr-defined]
    found = []
    for frame in itertools.islice(assets.frames(clip), most):
        scale = SHORT / min(frame.shape[:2])
        size = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
        found.append(np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8))
    return found, fps


def _animated(
    manner: Manner,
    looked: Looked,
    first: Frame,
    factors: tuple[float, ...],
    seed: int,
    within: Plane,
) -> Vector | None:
    priors = with_factors(PRIORS, manner.axes, factors)
    layers = layers_of(manner, looked, Asked(seed=seed), priors)
    stage = staged(first, Motion(layers), looked)
    return statistics(stage.frames(round(SECONDS * FPS), FPS), FPS, within)
