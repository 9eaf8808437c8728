"""Moving as a clip of another picture does: constants and directions of the kinds that both show.

Indirect inference, as over many clips (`vivant.motion.trial`): the clip's first frame is animated
with each of several values of a kind's constants, and those count most whose statistics over time
are nearest to the clip's own (`vivant.data.temporal`). Which way a kind flows, dense flow says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from math import atan2, degrees, exp

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.asset import Asset, Assets
from vivant.clip import Frame, Picture, Plane
from vivant.controls.flow import FLOWING
from vivant.controls.like import Like
from vivant.data.temporal import SECONDS, SHORT, Vector, statistics
from vivant.errors import UsageError
from vivant.motion.asked import Asked
from vivant.motion.held import LEAST_SEEN, Looked, look, scene_of
from vivant.motion.layered import LayerMotion, Motion
from vivant.motion.priors import Priors
from vivant.motion.stage import region, staged
from vivant.motion.trial import MANNERS, Axis, Manner, camera_stands, layers_of, with_factors
from vivant.rendering.explained import flow_to_first
from vivant.request import FrameStream, Request, Runtime

FPS = 12.0
LEAST_SECONDS = 1.5
SHARPNESS = 6.0
"""So many times as unlikely, as a logarithm, is a distance greater by one spread a statistic."""
SPREAD = np.array(
    [
        *(0.271, 0.392, 0.092, 0.225, 0.156, 0.406, 0.138, 0.285, 0.084),
        *(0.306, 0.138, 0.445, 0.05, 0.135, 0.11, 0.698, 0.167),
    ]
)
"""Of each statistic among 65 training clips of water, sky, plants, fire and smoke, at `FPS`."""
LEAST_REGION = 0.03
"""Share of the clip's picture from which a kind's region is looked at."""
STEP = 3
"""Frames over which flow is looked for."""
COHERENT, LEAST_SPEED = 0.6, 0.004
"""Length of the mean vector, over the mean length, from which a kind flows one way; and the short
sides a second from which that is seen."""
TOGETHER = (
    ("river_speed", "sea_speed", "surf_speed"),
    ("lake_shift", "sea_shift", "river_shift"),
)
"""Constants of waters of all characters that one clip of water changes alike."""


@dataclass(frozen=True, eq=False)
class Example:
    """A clip to move like: ``frames`` ``[h, w, 3]`` of its first seconds at `FPS`, small; what is
    seen in the first; the ``manners`` that move in it, each with its region and statistics."""

    name: str
    frames: list[Frame]
    looked: Looked
    manners: tuple[tuple[Manner, Plane, Vector], ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """What moves in it."""
        return tuple(dict.fromkeys(manner.kind for manner, _, _ in self.manners))


@dataclass(frozen=True)
class Fitted:
    """``priors`` whose constants are those of a clip, and ``flows``: degrees by kind."""

    priors: Priors
    flows: Mapping[str, float]


def like_notes(
    request: Request, assets: Assets, priors: Priors, runtime: Runtime
) -> tuple[str, ...]:
    """What moves as in another clip. Raises UsageError where nothing can."""
    like = request.one(Like)
    if like is None:
        return ()
    example = example_of(like.clip, assets, priors, runtime)
    kinds = shared_kinds(example, assets.picture(request.keyframes[0].image), runtime)
    return (f"As in {like.clip.name} move: {', '.join(kinds)}; all else as usual.",)


def moving_like(
    request: Request, assets: Assets, asked: Asked, priors: Priors, runtime: Runtime
) -> tuple[Asked, Priors]:
    """What is asked, and the constants, with those of a clip to move like where there is one."""
    like = request.one(Like)
    if like is None:
        return asked, priors
    example = example_of(like.clip, assets, priors, runtime)
    kinds = shared_kinds(example, assets.picture(request.keyframes[0].image), runtime)
    found = fitted(example, kinds, priors)
    return replace(asked, flows={**found.flows, **asked.flows}), found.priors


@dataclass(frozen=True)
class _Clip:
    """What an example is read from, and remembered by."""

    asset: Asset
    priors: Priors
    runtime: Runtime
    assets: Assets = field(compare=False, repr=False)


def example_of(asset: Asset, assets: Assets, priors: Priors, runtime: Runtime) -> Example:
    """A clip to move like, remembered from the plan until it is made. Raises UsageError where it is
    too short, or its camera moves."""
    return _read(_Clip(asset, priors, runtime, assets))


@lru_cache(maxsize=2)
def _read(clip: _Clip) -> Example:
    asset, assets, priors, runtime = clip.asset, clip.assets, clip.priors, clip.runtime
    fps, frames = assets.film(asset).fps, []
    wanted = {round(k * fps / FPS) for k in range(round(SECONDS * FPS))}
    with FrameStream(assets.frames(asset)) as stream:
        for index, frame in enumerate(islice(stream, max(wanted) + 1)):
            if index in wanted:
                frames.append(_small(frame))
    frames = frames if fps >= FPS else _repeated(frames, fps)
    if len(frames) < LEAST_SECONDS * FPS:
        raise UsageError(
            f"{asset.name} is under {LEAST_SECONDS:g} s long; --like takes a longer one."
        )
    looked = look(Picture(frames[0]), runtime)
    if not camera_stands(frames, looked.holding()):
        raise UsageError(
            f"The camera of {asset.name} moves; --like takes a clip of another picture whose camera"
            " stands (--camera moves it)."
        )
    found = (_seen(manner, frames, looked, priors) for manner in MANNERS)
    return Example(asset.name, frames, looked, tuple(one for one in found if one is not None))


def shared_kinds(example: Example, picture: Picture, runtime: Runtime) -> tuple[str, ...]:
    """Kinds that move in a clip and are seen in a picture. Raises UsageError where none are."""
    shares = scene_of(picture, runtime).shares()
    there = [kind for kind, share in shares.items() if share > LEAST_SEEN]
    both = tuple(kind for kind in example.kinds if kind in there)
    if not both:
        moving = ", ".join(example.kinds) or "nothing that moves by its kind"
        raise UsageError(
            f"{example.name} shows {moving}, and the picture {', '.join(there)}: no kind that"
            " moves is in both; choose a clip of what the picture shows."
        )
    return both


def fitted(example: Example, kinds: Iterable[str], priors: Priors) -> Fitted:
    """Distributions and directions of some ``kinds`` as a clip shows them."""
    flows: dict[str, float] = {}
    chosen = set(kinds)
    for manner, within, real in _largest(example):
        if manner.kind not in chosen:
            continue
        factors = _factors(manner, example, within, real, priors)
        axes = tuple(replace(axis, fields=_fields(axis)) for axis in manner.axes)
        priors = with_factors(priors, axes, factors)
        way = direction(example.frames, within) if manner.kind in FLOWING else None
        if way is not None and manner.kind != "fall" and manner.water not in ("still", "river"):
            flows[manner.kind] = way
    return Fitted(priors, flows)


def direction(frames: list[Frame], within: Plane) -> float | None:
    """Degrees (0 right, 90 up) in which what is ``within`` a region ``[h, w]`` flows, None where it
    goes no one way."""
    total, length, count = np.zeros(2), 0.0, 0
    h, w = frames[0].shape[:2]
    for before, after in zip(frames[:-STEP:2], frames[STEP::2], strict=False):
        flow = -flow_to_first(before, after) * np.array([w, h], np.float32) / min(h, w)
        inside = cv2.resize(within, flow.shape[1::-1], interpolation=cv2.INTER_AREA) > 200
        if not inside.any():
            return None
        total += flow[inside].mean(axis=0)
        length += float(np.linalg.norm(flow[inside], axis=1).mean())
        count += 1
    size = float(np.linalg.norm(total))
    if count == 0 or size < COHERENT * length or size / count * FPS / STEP < LEAST_SPEED:
        return None
    return degrees(atan2(-total[1], total[0])) % 360


def _seen(
    manner: Manner, frames: list[Frame], looked: Looked, priors: Priors
) -> tuple[Manner, Plane, Vector] | None:
    layers = layers_of(manner, looked, Asked(), priors)
    own = [region(looked, layer, frames[0]) for layer in layers]
    joined = np.maximum.reduce(own) if own else np.zeros(1, np.uint8)
    if (joined > 127).mean() < LEAST_REGION:
        return None
    real = statistics(frames, FPS, joined)
    return None if real is None else (manner, joined, real)


def _largest(example: Example) -> list[tuple[Manner, Plane, Vector]]:
    """Of each kind the manner that covers most: waters of several characters are fitted once."""
    found: dict[str, tuple[Manner, Plane, Vector]] = {}
    for one in example.manners:
        known = found.get(one[0].kind)
        if known is None or (one[1] > 127).sum() > (known[1] > 127).sum():
            found[one[0].kind] = one
    return list(found.values())


def _factors(
    manner: Manner, example: Example, within: Plane, real: Vector, priors: Priors
) -> tuple[float, ...]:
    """By what each axis of a manner is multiplied: the mean logarithm over the grid, where what is
    near to the clip counts most."""
    away = [_distance(manner, example, within, real, priors, place) for place in manner.grid]
    near = np.exp(-SHARPNESS * (np.array(away) - min(away)))
    logs: NDArray[np.float64] = np.log(np.array(manner.grid)) * near[:, None]
    return tuple(exp(value) for value in logs.sum(axis=0) / near.sum())


def _distance(
    manner: Manner,
    example: Example,
    within: Plane,
    real: Vector,
    priors: Priors,
    place: tuple[float, ...],
) -> float:
    """From a clip to its first frame animated, in spreads a statistic; far where nothing moves."""
    layers: tuple[LayerMotion, ...] = layers_of(
        manner, example.looked, Asked(), with_factors(priors, manner.axes, place)
    )
    stage = staged(example.frames[0], Motion(layers), example.looked)
    made = statistics(stage.frames(len(example.frames), FPS), FPS, within)
    return 1e3 if made is None else float(np.sqrt(np.mean(((made - real) / SPREAD) ** 2)))


def _fields(axis: Axis) -> tuple[str, ...]:
    return next((fields for fields in TOGETHER if axis.fields[0] in fields), axis.fields)


def _small(frame: Frame) -> Frame:
    scale = min(1.0, SHORT / min(frame.shape[:2]))
    size = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def _repeated(frames: list[Frame], fps: float) -> list[Frame]:
    """Frames of a slower clip at `FPS`."""
    count = int(len(frames) / fps * FPS)
    return [frames[min(len(frames) - 1, int(k * fps / FPS))] for k in range(count)]
