"""Trying constants on a picture: its layers of one kind, moved with other constants than usual."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Frame, Plane
from vivant.motion.asked import Asked
from vivant.motion.choose import choose
from vivant.motion.held import Looked
from vivant.motion.layered import LayerMotion
from vivant.motion.priors import LogNormal, Priors

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


COARSE = (0.35, 0.7, 1.4, 2.8)


def _water(name: str, character: str, speed: str, shift: str) -> Manner:
    return Manner(name, "water", (Axis((speed,), COARSE), Axis((shift,), COARSE)), character)


MANNERS = (
    Manner("sky", "sky", (Axis(("sky_speed",)),)),
    _water("river", "river", "river_speed", "river_shift"),
    _water("sea", "sea", "sea_speed", "sea_shift"),
    _water("surf", "surf", "surf_speed", "sea_shift"),
    Manner("lake", "water", (Axis(("lake_shift",)),), "still"),
    Manner("fall", "fall", (Axis(("fall_speed",)),)),
    Manner("smoke", "smoke", (Axis(("smoke_speed",)),)),
    Manner("fire", "fire", (Axis(("flame_speed",)),)),
    Manner("plant", "plant", (Axis(("sway",), COARSE), Axis(("sway_rate",), COARSE))),
)
"""What clips can teach."""


def with_factors(priors: Priors, axes: tuple[Axis, ...], factors: tuple[float, ...]) -> Priors:
    """Distributions whose constants along the axes are certain: the median times a factor."""
    changed: dict[str, Any] = {}
    for axis, factor in zip(axes, factors, strict=True):
        for name in axis.fields:
            changed[name] = LogNormal(getattr(priors, name).median * factor, 0.0)
    return replace(priors, **changed)


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
