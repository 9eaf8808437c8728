"""How near a layer comes to what really happened, for every value of its constants.

Indirect inference (Gouriéroux, Monfort and Renault, 1993): the first frame of a real clip is
animated with each of several values of a constant, one kind at a time, and the statistics over time
of that kind's region (`vivant.data.temporal`) are compared with those of the clip itself.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.asset import Assets
from vivant.clip import Frame, Picture, Plane
from vivant.data.sources import Source
from vivant.data.temporal import SECONDS, Vector, statistics
from vivant.errors import VivantError
from vivant.media.assets import FileAssets
from vivant.motion.asked import Asked
from vivant.motion.choose import choose
from vivant.motion.held import Looked, look
from vivant.motion.layered import LayerMotion, Motion
from vivant.motion.priors import PRIORS, LogNormal, Priors
from vivant.motion.stage import region, staged
from vivant.request import Runtime

SHORT = 240
"""Short side in pixels at which clips are animated."""
FPS = 24.0
LEAST_REGION = 0.06
"""Share of the picture from which a kind's region is looked at."""
STILL = 0.006
"""Median displacement in short sides up to which a camera stands still."""
LEAST_POINTS = 15


@dataclass(frozen=True)
class Axis:
    """Constants that are multiplied together, fields of `Priors`, and the ``factors`` tried."""

    fields: tuple[str, ...]
    factors: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Manner:
    """What is fitted together: a ``kind``'s layers (of one ``water`` character, where it is water)
    along one or two ``axes``."""

    name: str
    kind: str
    axes: tuple[Axis, ...]
    water: str | None = None

    @property
    def grid(self) -> list[tuple[float, ...]]:
        """All combinations of factors."""
        return list(itertools.product(*(axis.factors for axis in self.axes)))


@dataclass(frozen=True, eq=False)
class Seen:
    """One clip in one manner: statistics of the ``real`` clip ``[17]`` and of its animation at
    every place of the grid (None where nothing moved)."""

    clip: str
    manner: str
    real: Vector
    made: list[Vector | None]


def with_factors(priors: Priors, axes: tuple[Axis, ...], factors: tuple[float, ...]) -> Priors:
    """Distributions whose constants along the axes are certain: the median times a factor."""
    changed: dict[str, Any] = {}
    for axis, factor in zip(axes, factors, strict=True):
        for name in axis.fields:
            changed[name] = LogNormal(getattr(priors, name).median * factor, 0.0)
    return replace(priors, **changed)


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


def layers_of(
    manner: Manner, looked: Looked, asked: Asked, priors: Priors
) -> tuple[LayerMotion, ...]:
    """The layers of a scene that move in a manner."""
    waters = {body.instance: body.name for body in looked.scene.bodies}

    def fits(layer: LayerMotion) -> bool:
        if layer.kind != manner.kind:
            return False
        return manner.water is None or waters.get(layer.part or 0) == manner.water

    return tuple(layer for layer in choose(looked, asked, priors).layers if fits(layer))


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


def camera_stands(frames: list[Frame], holding: Plane) -> bool:
    """Whether what holds stays in place, by points tracked through the frames (Lucas and Kanade,
    1981); taken to be so where too little holds to tell."""
    shape = frames[0].shape[:2]
    mask = cv2.resize(holding, shape[::-1], interpolation=cv2.INTER_AREA)
    mask = np.where(mask > 200, np.uint8(255), np.uint8(0))
    grey = [
        cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames[:: max(1, len(frames) // 6)]
    ]
    start = cv2.goodFeaturesToTrack(grey[0], 200, 0.01, 6, mask=mask)
    if start is None or len(start) < LEAST_POINTS:
        return True
    places, kept = start, np.ones(len(start), bool)
    for before, after in itertools.pairwise(grey):
        places, status, _ = cv2.calcOpticalFlowPyrLK(before, after, places, None)
        kept &= status[:, 0] > 0
    if kept.sum() < LEAST_POINTS:
        return False
    moved: NDArray[np.float32] = np.linalg.norm((places - start)[kept, 0], axis=1)
    return float(np.median(moved)) < STILL * min(shape)
