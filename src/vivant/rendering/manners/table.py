"""The one table of manners: the name of each, its parameters, and what moves by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from vivant.clip import Plane
from vivant.rendering.manners.aurora import Aurora, AuroraManner
from vivant.rendering.manners.bob import Bob, BobManner, afloat_matte
from vivant.rendering.manners.drift import Drift, DriftManner
from vivant.rendering.manners.flame import Flame, FlameManner, flame_matte
from vivant.rendering.manners.flight import Flight, FlightManner
from vivant.rendering.manners.flyers import open_sky
from vivant.rendering.manners.manner import Ground, Manner
from vivant.rendering.manners.particles import Particles, ParticlesManner, everywhere
from vivant.rendering.manners.stream import Stream, StreamManner
from vivant.rendering.manners.surface import Surface, SurfaceManner
from vivant.rendering.manners.sway import Sway, SwayManner


@dataclass(frozen=True)
class Row:
    """``name`` in files, the class of its ``parameters``, how to ``make`` it, how far beyond its
    own matte a layer ``reaches``, whether its outline moves ``over`` the sky, and whether it is a
    ``veil`` before all others."""

    name: str
    parameters: type[Any]
    make: Callable[[Ground, Any, np.random.Generator], Manner]
    reaches: Callable[[Plane], Plane] | None = None
    veil: bool = False
    over: bool = False


MANNERS: dict[str, Row] = {
    row.name: row
    for row in (
        Row("drift", Drift, DriftManner),
        Row("aurora", Aurora, AuroraManner),
        Row("surface", Surface, SurfaceManner),
        Row("stream", Stream, StreamManner),
        Row("flame", Flame, FlameManner, flame_matte),
        Row("sway", Sway, SwayManner, over=True),
        Row("bob", Bob, BobManner, afloat_matte),
        Row("flight", Flight, FlightManner, open_sky, veil=True),
        Row("particles", Particles, ParticlesManner, everywhere, veil=True),
    )
}


def manner_of(parameters: object) -> Row:
    """The row of some parameters. Raises ValueError where they are of no manner."""
    for row in MANNERS.values():
        if type(parameters) is row.parameters:
            return row
    raise ValueError(f"{type(parameters).__name__} is no manner of motion")
