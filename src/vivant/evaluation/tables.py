"""Rows of cases to tables with intervals, and what does not beat its baselines."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from vivant.evaluation.frames import EXACT
from vivant.evaluation.motion_scores import Scores, summary
from vivant.evaluation.run import Row
from vivant.evaluation.statistics import bootstrap, frechet

HIGHER = {"where", "where_median", "direction_best", "direction_mean", "rhythm", "calibration"}
HIGHER |= {"drift_correlation", "first_frame", "dynamic"}
LOWER = {"endpoint_best", "leakage", "colour_drift", "flicker", "warp_error", "held", "step"}
PERFECT = {"first_frame": EXACT, "colour_drift": 0.0, "flicker": 0.0, "held": 0.0}
"""Where a tie with a baseline is no defeat."""
STILL = "still picture"
"""Nothing moves in it, so nothing breaks: it is a rival in movement only."""
OURS = {"model", "rendered", "as filmed"}
DRAWS = 500


@dataclass(frozen=True)
class Figure:
    """A mean (or another statistic) over clips with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


Table = dict[str, dict[str, Figure]]
"""Subject (model or baseline) to measure to figure."""


def motion_table(rows: list[Row]) -> Table:
    """Scores of motion over the clips that have a truth."""
    counted = [row["motion"] for row in rows if row["motion"]]
    names = list(dict.fromkeys(name for row in counted for name in row))
    return {name: _motion_figures([r[name] for r in counted if name in r]) for name in names}


def kind_tables(rows: list[Row]) -> dict[str, Table]:
    """`motion_table` of what is seen of each kind, in the order of the most clips first."""
    own: dict[str, list[Row]] = {}
    for row in rows:
        for kind, motion in row.get("kinds", {}).items():
            own.setdefault(kind, []).append({"motion": motion})
    return {k: motion_table(own[k]) for k in sorted(own, key=lambda k: (-len(own[k]), k))}


def _motion_figures(scores: list[dict[str, float]]) -> dict[str, Figure]:
    clips = np.array([[s[f.name] for f in fields(Scores)] for s in scores])

    def all_of(values: Any) -> dict[str, float]:
        return summary([Scores(*map(float, row)) for row in values])

    whole = all_of(clips)
    rng = np.random.default_rng(0)
    draws = [all_of(clips[rng.integers(0, len(clips), len(clips))]) for _ in range(DRAWS)]
    out = {}
    for name, value in whole.items():
        if np.isfinite(value):
            low, high = np.nanpercentile([d[name] for d in draws], [2.5, 97.5])
            out[name] = Figure(value, float(low), float(high))
    return out


def frames_table(rows: list[Row]) -> Table:
    """Measures of frames over all clips."""
    names = list(dict.fromkeys(name for row in rows for name in row["frames"]))
    table: Table = {}
    for name in names:
        found = [row["frames"][name] for row in rows if name in row["frames"]]
        table[name] = {}
        for measure in found[0]:
            values = np.array([f[measure] for f in found], float)
            values = values[np.isfinite(values)]
            if len(values):
                table[name][measure] = Figure(float(values.mean()), *bootstrap(values))
    return table


def control_figures(rows: list[Row]) -> dict[str, Figure]:
    """Hints, strength, sampling time and the Frechet distance, where they were measured."""
    columns: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.get("hints", {}).items():
            columns.setdefault(f"hint {name}", []).append(value)
        for by, value in row.get("strength", {}).items():
            columns.setdefault(f"speed at strength {by}", []).append(value)
        for name, value in row.get("camera", {}).items():
            columns.setdefault(f"camera error: {name}", []).append(value)
        if "loop_seam" in row:
            columns.setdefault("seam of a loop", []).append(row["loop_seam"])
        if "sampling_seconds" in row:
            columns.setdefault("sampling seconds", []).append(row["sampling_seconds"])
    out = {}
    for name, values in columns.items():
        array = np.array(values)
        out[name] = Figure(float(array.mean()), *bootstrap(array))
    pairs = [r["features"] for r in rows if "real" in r.get("features", {})]
    if len(pairs) >= 2:
        both = np.array([[p["model"], p["real"]] for p in pairs], np.float32)
        value = frechet(both[:, 0], both[:, 1])
        low, high = bootstrap(both, lambda v: frechet(v[:, 0], v[:, 1]), draws=100)
        out[f"Frechet distance (bundled encoder, {len(pairs)} clips, 2 frames/s)"] = Figure(
            value, low, high
        )
    return out


def beaten(table: Table, subject: str, measure: str) -> bool:
    """Whether some baseline is at least as good as ``subject`` in a measure with a better side;
    what has none (diversity, speed, ...) is never beaten, nor what is perfect."""
    mine = table[subject].get(measure)
    if mine is None or subject not in OURS or measure not in HIGHER | LOWER:
        return False
    rivals = [
        figures[measure].value
        for name, figures in table.items()
        if name not in OURS and measure in figures and (name != STILL or measure == "dynamic")
    ]
    if not rivals or mine.value == PERFECT.get(measure):
        return False
    if measure in HIGHER:
        return mine.value <= max(rivals)
    return mine.value >= min(rivals)
