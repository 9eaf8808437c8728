"""Which way and how fast clouds, water and smoke go, fitted to what flow says of clips.

A clip says of a kind how many times as fast it goes as its layer does by the median constants, and
by which angle it is turned from the way that the layer goes by them. Speeds are taken to be
log-normal, turns normal about straight on; the hand-set constants weigh as much as a few clips.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, log, pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.motion.priors import LogNormal, Normal, Priors

PRIOR_CLIPS = 4.0
FOLDS = 5
LEAST_CLIPS = 6
LEAST_TURN = 8.0
"""Degrees by which optical flow of clouds is turned by itself."""


@dataclass(frozen=True)
class Drifted:
    """What a ``clip`` of a ``source`` shows of one ``kind`` (of water its character, of wide smoke
    fog): ``faster``, true over stated mean speed, and ``turn``, degrees from the stated way to the
    true one, up positive (left and right alike where a layer goes either way by chance)."""

    clip: str
    source: str
    kind: str
    faster: float
    turn: float


@dataclass(frozen=True)
class Way:
    """``shift`` of the log median and ``spread`` of the log of a speed, ``aside`` degrees of spread
    about straight on."""

    shift: float
    spread: float
    aside: float


@dataclass(frozen=True)
class DriftFit:
    """A kind's distribution from ``clips``, the mean log-likelihood of clips that it was not fitted
    to ``before`` (hand-set) and ``after``, the 95 % ``interval`` of the difference, and whether it
    is ``kept``: likelier by more than a standard error."""

    kind: str
    clips: int
    way: Way
    before: float
    after: float
    interval: tuple[float, float]
    kept: bool


@dataclass(frozen=True)
class _Row:
    """Fields of `Priors` that a kind's ``speed`` and ``aside`` are."""

    speed: str
    aside: str | None = None


ROWS = {
    "sky": _Row("sky_speed", "sky_climb"),
    "river": _Row("river_speed"),
    "sea": _Row("sea_speed", "towards"),
    "surf": _Row("surf_speed"),
    "fall": _Row("fall_speed"),
    "smoke": _Row("smoke_speed"),
    "fog": _Row("fog_speed", "fog_lean"),
}
"""What flow can teach; that falls fall, smoke rises and rivers run downwards no clip need teach."""


def by_hand(kind: str, priors: Priors) -> Way:
    """The hand-set distribution of a kind."""
    row = ROWS[kind]
    speed: LogNormal = getattr(priors, row.speed)
    aside = LEAST_TURN if row.aside is None else getattr(priors, row.aside).spread
    return Way(0.0, speed.spread, max(aside, LEAST_TURN))


def likelihood(way: Way, seen: list[Drifted]) -> NDArray[np.float64]:
    """Log-likelihood ``[clips]`` of their speeds and turns."""
    speeds = np.log([one.faster for one in seen])
    turns = np.array([one.turn for one in seen])
    pace = -0.5 * ((speeds - way.shift) / way.spread) ** 2 - log(way.spread * sqrt(2 * pi))
    around = [np.exp(-0.5 * ((turns + 360 * k) / way.aside) ** 2) for k in (-2, -1, 0, 1, 2)]
    density = np.sum(around, axis=0) / (way.aside * sqrt(2 * pi))
    return np.asarray(pace + np.log(density + 1e-6), np.float64)


def learned(seen: list[Drifted], hand: Way, turns: bool = True) -> Way:
    """The likeliest distribution; ``turns`` stay where they are not asked."""
    speeds = np.log([one.faster for one in seen])
    total = len(seen) + PRIOR_CLIPS
    shift = float(speeds.sum() + PRIOR_CLIPS * hand.shift) / total
    around = PRIOR_CLIPS * (hand.spread**2 + (hand.shift - shift) ** 2)
    spread = sqrt((float(((speeds - shift) ** 2).sum()) + around) / total)
    if not turns:
        return Way(shift, spread, hand.aside)
    square = sum(one.turn**2 for one in seen) + PRIOR_CLIPS * hand.aside**2
    return Way(shift, spread, sqrt(square / total))


def fitted(kind: str, seen: list[Drifted], priors: Priors) -> DriftFit:
    """A kind's distribution, cross-validated against the hand-set one by folds of sources."""
    hand, turns = by_hand(kind, priors), ROWS[kind].aside is not None
    names = sorted({one.source for one in seen})
    order = np.random.default_rng(0).permutation(len(names))
    fold = {names[k]: place % FOLDS for place, k in enumerate(order)}
    before, after = likelihood(hand, seen), np.zeros(len(seen))
    for number in range(FOLDS):
        held = [k for k, one in enumerate(seen) if fold[one.source] == number]
        rest = [one for one in seen if fold[one.source] != number]
        if held and rest:
            own = [seen[k] for k in held]
            after[held] = likelihood(learned(rest, hand, turns), own)
    picks = np.random.default_rng(1).integers(0, len(seen), (2000, len(seen)))
    differences = (after - before)[picks].mean(1)
    low, high = (round(float(v), 3) for v in np.percentile(differences, (2.5, 97.5)))
    better = bool((after - before).mean() > differences.std())
    kept = better and len(seen) >= LEAST_CLIPS
    means = [round(float(values.mean()), 3) for values in (before, after)]
    way = learned(seen, hand, turns)
    return DriftFit(kind, len(seen), way, means[0], means[1], (low, high), kept)


def applied(priors: Priors, fits: list[DriftFit], hand: Priors) -> Priors:
    """``priors`` with those fitted ones in their place that are kept; they are told from the
    ``hand``-set ones."""
    changed: dict[str, Any] = {}
    for one in fits:
        if one.kept:
            row, way = ROWS[one.kind], one.way
            changed[row.speed] = shifted(getattr(hand, row.speed), way)
            if row.aside is not None:
                old: Normal = getattr(hand, row.aside)
                changed[row.aside] = Normal(old.mean, round(way.aside, 1))
    return replace(priors, **changed)


def shifted(old: LogNormal, way: Way) -> LogNormal:
    """A speed's distribution moved and widened; it is cut off at half and at twice the median, if
    it was not further out: the fastest clips are time-lapses, and the slowest are not seen."""
    median = old.median * exp(way.shift)
    low, high = min(old.low, median / 2), max(old.high, median * 2)
    return LogNormal(*(round(v, 5) for v in (median, way.spread, low, high)))
