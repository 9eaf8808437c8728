"""Constants of manners as distributions, fitted to what clips show.

For each clip the distances between the clip and its animations say how likely each value of a
constant is. An expectation maximisation finds the log-normal distribution from which the clips'
values were drawn, with the hand-set one as a prior of a few clips: few clips move it little.
Where the fitted one is not nearer, by more than a standard error, to clips that it was not fitted
to, the hand-set one stays.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.data.sources import read_sources
from vivant.data.temporal import spread
from vivant.errors import UsageError
from vivant.files import make_folder
from vivant.motion.priors import PRIORS, LogNormal, Priors
from vivant.motion.trial import Manner
from vivant.records import to_data
from vivant.training import drift_fit
from vivant.training.drift_clips import read_drifts
from vivant.training.manner_clips import Seen, clip_tables

Table = NDArray[np.float64]
FAR = 1.5
"""What moves not at all is so many times as far as the farthest that moves."""


@dataclass(frozen=True)
class MannersRecipe:
    """``manners`` to fit on clips of the ``splits``; the hand-set constants weigh as much as
    ``prior_clips``; ``folds`` of the cross-validation; the fewest ``clips`` from which anything is
    fitted; ``by_flow``: whether speeds and directions are told by optical flow; ``sharpness`` of
    the likelihood: a distance greater by one, in spreads of real clips a statistic, is so many
    times as unlikely, as a logarithm."""

    manners: tuple[Manner, ...]
    splits: tuple[str, ...] = ("train",)
    prior_clips: float = 4.0
    folds: int = 5
    clips: int = 6
    by_flow: bool = False
    sharpness: float = 6.0
    rounds: int = 40


@dataclass(frozen=True)
class Fitted:
    """``shift`` of the log medians and the ``spread`` of each axis; energy scores, less is better,
    of clips that were not fitted to, ``before`` (hand-set constants) and ``after`` (fitted), with a
    95 % ``interval`` of the difference; ``kept`` where the fitted one is nearer by more than a
    standard error."""

    manner: str
    clips: int
    shift: tuple[float, ...]
    spread: tuple[float, ...]
    before: float
    after: float
    interval: tuple[float, float]
    kept: bool


def train_manners(
    recipe: MannersRecipe, clips: Path, out: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Fit all manners to the clips of a folder or manifest; writes ``manners.json`` (the section of
    a bundle and the report) into ``out``. Goes on where it was interrupted.

    Raises UsageError where there are no clips.
    """
    make_folder(out)
    seen = read_tables(recipe, clips, out / "seen.jsonl", say)
    priors, report = PRIORS, []
    for manner in recipe.manners:
        own = [one for one in seen if one.manner == manner.name]
        if len(own) < recipe.clips:
            say(f"{manner.name}: {len(own)} clips, too few; the constants stay")
            continue
        fitted = fit(manner, own, recipe)
        say(f"{manner.name}: {to_data(fitted)}")
        report.append(to_data(fitted))
        if fitted.kept:
            priors = applied(priors, manner, fitted)
    if recipe.by_flow:
        sources = read_sources(clips, recipe.splits)
        drifted = read_drifts(sources, PRIORS, out, say)
        shown = {kind: [one for one in drifted if one.kind == kind] for kind in drift_fit.ROWS}
        fits = [drift_fit.fitted(kind, of, PRIORS) for kind, of in shown.items() if of]
        report += [to_data(one) for one in fits]
        priors = drift_fit.applied(priors, fits, PRIORS)
    rows = {"manners": to_data(priors), "report": report}
    (out / "manners.json").write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    return rows


def read_tables(
    recipe: MannersRecipe, clips: Path, path: Path, say: Callable[[str], None]
) -> list[Seen]:
    """What is seen in each clip, from a file of lines that grows clip by clip."""
    sources = read_sources(clips, recipe.splits)
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    rows = [json.loads(line) for line in lines]
    _check_same(recipe, rows, path)
    done = {row["clip"] for row in rows}
    seen = [_seen(row) for row in rows if row["manner"]]
    with path.open("a", encoding="utf-8") as file:
        for name, found in clip_tables(sources, recipe.manners, done.__contains__, say):
            for row in [_row(one, recipe) for one in found] or [{"clip": name, "manner": ""}]:
                file.write(json.dumps(row) + "\n")
            file.flush()
            seen += found
            say(f"{name}: {', '.join(one.manner for one in found) or 'nothing of use'}")
    return seen


@dataclass(frozen=True, eq=False)
class Distances:
    """``to_real`` ``[clips, places of the grid]`` from each clip to its animations, and ``apart``
    ``[clips, places, places]`` of these from one another: roots of the mean square, in spreads of
    real clips."""

    to_real: Table
    apart: Table

    def of(self, clips: NDArray[np.int64]) -> Distances:
        """Those of some clips."""
        return Distances(self.to_real[clips], self.apart[clips])

    def scores(self, chances: Table) -> Table:
        """Energy score ``[clips]`` of a distribution over the grid, less is better: a proper score,
        that of the true distribution is the least (Gneiting and Raftery, 2007)."""
        return self.to_real @ chances - 0.5 * np.einsum("g,cgh,h->c", chances, self.apart, chances)


def distances(seen: list[Seen]) -> Distances:
    """How far clips are from their animations; what does not move at all is farthest."""
    scale = spread([one.real for one in seen])
    to_real, apart = [], []
    for one in seen:
        still = np.full(one.real.shape, np.nan)
        made = np.stack([still if values is None else values for values in one.made]) / scale
        to_real.append(_known(_lengths(made - one.real / scale)))
        apart.append(_known(_lengths(made[:, None] - made[None])) * (1 - np.eye(len(made))))
    return Distances(np.stack(to_real), np.stack(apart))


def _lengths(values: Table) -> Table:
    return np.asarray(np.sqrt(np.mean(values**2, axis=-1)), np.float64)


def _known(values: Table) -> Table:
    known = values[np.isfinite(values)]
    return np.where(np.isfinite(values), values, FAR * (known.max() if known.size else 1.0))


def fit(manner: Manner, seen: list[Seen], recipe: MannersRecipe) -> Fitted:
    """Fit one manner, and cross-validate it against the hand-set constants."""
    table = distances(seen)
    order = np.random.default_rng(0).permutation(len(seen))
    first = tuple(getattr(PRIORS, axis.fields[0]).spread for axis in manner.axes)
    hand = weights(manner, tuple(0.0 for _ in first), first)
    before, after = table.scores(hand), np.zeros(len(seen))
    for number in range(recipe.folds):
        held = order[number :: recipe.folds]
        rest = np.setdiff1d(order, held)
        found = learned(manner, table.of(rest), recipe)
        after[held] = table.of(held).scores(weights(manner, *found))
    shift, width = learned(manner, table, recipe)
    rng = np.random.default_rng(1)
    picks = rng.integers(0, len(seen), (2000, len(seen)))
    differences = (after - before)[picks].mean(1)
    low, high = np.percentile(differences, (2.5, 97.5))
    return Fitted(
        manner.name,
        len(seen),
        _rounded(shift),
        _rounded(width),
        round(float(before.mean()), 3),
        round(float(after.mean()), 3),
        (round(float(low), 3), round(float(high), 3)),
        bool((after - before).mean() < -differences.std()),
    )


def learned(
    manner: Manner, table: Distances, recipe: MannersRecipe
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Shifts of the log medians and spreads, by expectation maximisation."""
    places = np.log(np.array(manner.grid))
    first = np.array([getattr(PRIORS, axis.fields[0]).spread for axis in manner.axes])
    away = table.to_real - table.to_real.min(axis=1, keepdims=True)
    likely = np.exp(-recipe.sharpness * away)
    shift, width = np.zeros(len(first)), first.copy()
    for _ in range(recipe.rounds):
        share = likely * weights(manner, tuple(shift), tuple(width))
        share /= share.sum(axis=1, keepdims=True)
        total = len(likely) + recipe.prior_clips
        shift = np.einsum("cg,ga->a", share, places) / total
        square = np.einsum("cg,ga->a", share, (places - shift) ** 2)
        width = np.sqrt((square + recipe.prior_clips * first**2) / total)
    return tuple(float(s) for s in shift), tuple(float(w) for w in width)


def weights(manner: Manner, shift: tuple[float, ...], width: tuple[float, ...]) -> Table:
    """Probability of each place of the grid under log-normal distributions: the mass of what is
    nearer to it than to its neighbours."""
    parts = [
        _masses(np.log(axis.factors), middle, around)
        for axis, middle, around in zip(manner.axes, shift, width, strict=True)
    ]
    joint = parts[0]
    for part in parts[1:]:
        joint = np.outer(joint, part).ravel()
    return joint


def applied(priors: Priors, manner: Manner, fitted: Fitted) -> Priors:
    """Distributions with the fitted ones in their place."""
    changed: dict[str, Any] = {}
    for axis, shift, width in zip(manner.axes, fitted.shift, fitted.spread, strict=True):
        for name in axis.fields:
            old: LogNormal = getattr(priors, name)
            median = old.median * exp(shift)
            low, high = min(old.low, median / 2), max(old.high, median * 2)
            changed[name] = LogNormal(*(round(v, 5) for v in (median, width, low, high)))
    return replace(priors, **changed)


def _masses(places: Table, middle: float, around: float) -> Table:
    fine = np.linspace(middle - 3 * around, middle + 3 * around, 121)
    density = np.exp(-0.5 * ((fine - middle) / max(around, 1e-6)) ** 2)
    nearest = np.abs(fine[:, None] - places[None]).argmin(axis=1)
    mass = np.bincount(nearest, density, minlength=len(places))
    return np.asarray(mass / mass.sum(), np.float64)


def _rounded(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(round(value, 3) for value in values)


def _row(one: Seen, recipe: MannersRecipe) -> dict[str, Any]:
    return {
        "clip": one.clip,
        "manner": one.manner,
        "grid": next(m.grid for m in recipe.manners if m.name == one.manner),
        "real": one.real.tolist(),
        "made": [None if made is None else made.tolist() for made in one.made],
    }


def _seen(row: dict[str, Any]) -> Seen:
    made = [None if values is None else np.array(values) for values in row["made"]]
    return Seen(row["clip"], row["manner"], np.array(row["real"]), made)


def _check_same(recipe: MannersRecipe, rows: list[dict[str, Any]], path: Path) -> None:
    grids = {manner.name: [list(place) for place in manner.grid] for manner in recipe.manners}
    for row in rows:
        if row["manner"] and row["grid"] != grids.get(row["manner"]):
            raise UsageError(f"{path} was made by another recipe; name a new folder.")
