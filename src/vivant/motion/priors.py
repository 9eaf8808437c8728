"""How each kind moves, as distributions: every constant of a manner that a seed draws.

They are part of a bundle (``manners`` in its ``config.json``: hashed and recorded). The defaults
were found by trying and judging by eye; what clips teach replaces them (`recipes/manners.py`).
What no clip need teach is no distribution: falls fall, flames rise, waves run towards the shore.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from statistics import NormalDist
from typing import Any, Protocol

from vivant.errors import BundleError, UsageError
from vivant.records import from_data, to_data

NORMAL = NormalDist()


class Random(Protocol):
    """Where randomness comes from: a generator of numpy, or `vivant.motion.draws.Draws`."""

    def standard_normal(self) -> float:
        """Of mean 0 and spread 1."""
        ...


@dataclass(frozen=True)
class LogNormal:
    """``median``, and ``spread``: the standard deviation of the logarithm; ``low`` and ``high`` cut
    it off."""

    median: float
    spread: float
    low: float = 0.0
    high: float = 1e9

    def draw(self, rng: Random) -> float:
        """One value; none is likelier for lying just within the limits."""
        if self.spread == 0:
            return min(max(self.median, self.low), self.high)
        low, high = (self._share(limit) for limit in (self.low, self.high))
        share = low + (high - low) * NORMAL.cdf(rng.standard_normal())
        at = NORMAL.inv_cdf(min(max(share, 1e-9), 1 - 1e-9))
        return min(max(self.median * exp(self.spread * at), self.low), self.high)

    def _share(self, limit: float) -> float:
        """Share of the distribution below a limit."""
        return NORMAL.cdf(log(limit / self.median) / self.spread) if limit > 0 else 0.0


@dataclass(frozen=True)
class Normal:
    """``mean`` and ``spread``, cut off two spreads from the mean."""

    mean: float
    spread: float

    def draw(self, rng: Random) -> float:
        """One value."""
        return self.mean + self.spread * min(max(rng.standard_normal(), -2.0), 2.0)


@dataclass(frozen=True)
class Priors:
    """Speeds in short sides a second near the viewer, amplitudes in short sides, rates in Hz,
    wind in metres a second on the ground plane (heading in degrees: 0 right, 90 away).

    ``sky_rise``: of clouds away from the horizon, besides ``sky_climb``, the degrees by which their
    way is turned up; ``fog_lean``: degrees about the way that fog takes, which is wide; smoke
    rises; ``towards``: heading of the wind around straight towards the viewer, by which waves run;
    ``lateral``: chance that clouds go to the right; ``river_back``: that a river comes from where
    it was taken to go to, since of the two ends of a shape either may be the source."""

    wind: LogNormal = LogNormal(2.5, 0.35, 0.8, 8.0)
    towards: Normal = Normal(270.0, 60.0)
    lateral: float = 0.5
    sky_speed: LogNormal = LogNormal(0.034, 0.3, 0.012, 0.06)
    sky_rise: Normal = Normal(0.002, 0.004)
    sky_climb: Normal = Normal(0.0, 0.0)
    river_back: float = 0.25
    river_speed: LogNormal = LogNormal(0.07, 0.3, 0.03, 0.16)
    sea_speed: LogNormal = LogNormal(0.028, 0.25, 0.012, 0.06)
    surf_speed: LogNormal = LogNormal(0.045, 0.25, 0.02, 0.09)
    lake_shift: LogNormal = LogNormal(0.0034, 0.25, 0.0015, 0.008)
    sea_shift: LogNormal = LogNormal(0.0036, 0.25, 0.0015, 0.008)
    river_shift: LogNormal = LogNormal(0.002, 0.25, 0.001, 0.005)
    lake_glint: float = 0.3
    sea_glint: float = 0.18
    river_glint: float = 0.15
    fall_speed: LogNormal = LogNormal(0.24, 0.2, 0.12, 0.5)
    smoke_speed: LogNormal = LogNormal(0.07, 0.3, 0.02, 0.2)
    fog_speed: LogNormal = LogNormal(0.07, 0.3, 0.02, 0.2)
    fog_lean: Normal = Normal(0.0, 0.0)
    flame_speed: LogNormal = LogNormal(0.55, 0.2, 0.25, 1.0)
    bird_speed: LogNormal = LogNormal(0.03, 0.3, 0.012, 0.07)
    snow_speed: LogNormal = LogNormal(0.3, 0.5, 0.08, 0.9)
    rain_speed: LogNormal = LogNormal(2.4, 0.2, 1.4, 3.6)
    ember_speed: LogNormal = LogNormal(0.16, 0.35, 0.05, 0.4)
    sway: LogNormal = LogNormal(0.006, 0.3, 0.002, 0.014)
    sway_rate: LogNormal = LogNormal(0.55, 0.25, 0.25, 1.2)


PRIORS = Priors()


def priors_of(rows: Any, where: str) -> Priors:
    """The distributions of a bundle; ``rows`` is its section, None where it has none.

    Raises BundleError naming ``where`` where the section is damaged.
    """
    if rows is None:
        return PRIORS
    try:
        return from_data(Priors, {**to_data(PRIORS), **rows}, "section manners")
    except (UsageError, TypeError) as error:
        raise BundleError(f"{where}/config.json is damaged ({error}); reinstall it.") from error
