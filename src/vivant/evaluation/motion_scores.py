"""How sampled motion compares with the true motion of a held-out clip.

A clip counts where its camera stands still and it has moving and static cells by
`vivant.metrics.moving_and_static`. Scores are pure functions of arrays: true velocity
``[T, 2, h, w]`` and samples ``[S, T, 2, h, w]``, both in short sides per second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats
from vivant.data.shards import Sample
from vivant.data.windows import Window, windows_of
from vivant.metrics import Bools, mean_cosine, moving_and_static, moving_area_auc
from vivant.motion.codec import dct_basis
from vivant.motion.drifts import MIN_CONFIDENCE


@dataclass(frozen=True)
class Truth:
    """One window that counts: its first frame and what then moved; ``camera_removed`` where the
    camera moved, and was taken out of the labels."""

    name: str
    category: str
    window: Window
    moving: Bools
    static: Bools
    camera_removed: bool = False


@dataclass(frozen=True)
class Scores:
    """One clip's scores; where nothing is known to hold, ``where`` and ``leakage`` are NaN.

    ``where``: AUC of the mean sampled speed; ``direction_best`` and ``direction_mean``: cosine
    of mean motion over moving cells; ``rhythm``: correlation of log-energy over frequency;
    ``endpoint_best``: endpoint error over that of predicting no motion; ``leakage``: speed
    in static over speed in moving cells, which is taken to be at least a hundredth of the truth's;
    ``true_speed`` and ``speed``, ``true_drift`` and ``drift`` (share of the motion that is its
    mean) in moving cells; ``diversity``: mean distance between samples over their mean size.
    """

    where: float
    direction_best: float
    direction_mean: float
    rhythm: float
    endpoint_best: float
    leakage: float
    true_speed: float
    speed: float
    true_drift: float
    drift: float
    diversity: float


def _least(true: Floats, moving: NDArray[np.bool_]) -> float:
    """A hundredth of the true speed: what stands still where it should move leaks, but not
    without bounds."""
    return max(0.01 * float(_speed(true)[moving].mean()), 1e-9)


def truth_of(sample: Sample, camera_removed: bool = False) -> Truth | None:
    """The first window of a shot that counts and whose camera stands (or, where asked for, was
    taken out of the labels), or None."""
    for window in windows_of(sample):
        if window.camera_moves and not (camera_removed and window.camera_removed):
            continue
        speed = _speed(window.velocity)
        classes = moving_and_static(speed, window.gradient, window.confidence, MIN_CONFIDENCE)
        if classes is not None:
            category = str(sample.facts.get("category", ""))
            return Truth(sample.key, category, window, *classes, window.camera_removed)
    return None


def score(truth: Truth, samples: Floats) -> Scores:
    """Score ``samples`` ``[S, T, 2, h, w]`` against one clip."""
    true, moving, static = truth.window.velocity, truth.moving, truth.static
    speeds = np.stack([_speed(s) for s in samples])
    mean = speeds.mean(axis=0)
    cosines = [mean_cosine(s.mean(axis=0), true.mean(axis=0), moving) for s in samples]
    energy = temporal_energy(true, moving)
    leaks = float(mean[static].mean()) if static.any() else float("nan")
    return Scores(
        where=moving_area_auc(mean, moving, static) if static.any() else float("nan"),
        direction_best=max(cosines),
        direction_mean=float(np.mean(cosines)),
        rhythm=float(np.mean([rhythm(temporal_energy(s, moving), energy) for s in samples])),
        endpoint_best=min(endpoint_ratio(s, true, moving) for s in samples),
        leakage=leaks / max(float(mean[moving].mean()), _least(true, moving)),
        true_speed=float(_speed(true)[moving].mean()),
        speed=float(mean[moving].mean()),
        true_drift=drift_share(true, moving),
        drift=float(np.mean([drift_share(s, moving) for s in samples])),
        diversity=diversity(samples, moving),
    )


def _speed(velocity: Floats) -> Floats:
    return np.asarray(np.linalg.norm(velocity, axis=1).mean(axis=0), np.float32)


def temporal_energy(velocity: Floats, where: Bools) -> Floats:
    """Energy per temporal frequency (DCT-II) over the cells ``where``, ``[T]``, sum 1."""
    waves = np.tensordot(dct_basis(len(velocity)), velocity[:, :, where], axes=1)
    energy = (waves**2).sum(axis=(1, 2))
    return np.asarray(energy / max(float(energy.sum()), 1e-12), np.float32)


def rhythm(a: Floats, b: Floats) -> float:
    """Correlation of two energy spectra on a logarithmic scale; 0 where one is flat."""
    x, y = (np.log(e + 1e-5) for e in (a, b))
    if x.std() < 1e-6 or y.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def endpoint_ratio(velocity: Floats, true: Floats, where: Bools) -> float:
    """Mean endpoint error of the mean motion, over that of predicting no motion."""
    difference = np.linalg.norm(velocity.mean(axis=0) - true.mean(axis=0), axis=0)[where]
    nothing = np.linalg.norm(true.mean(axis=0), axis=0)[where]
    return float(difference.mean() / max(float(nothing.mean()), 1e-9))


def drift_share(velocity: Floats, where: Bools) -> float:
    """Share 0..1 of the motion's energy that is its mean over time."""
    inside = velocity[:, :, where]
    total = float((inside**2).sum(axis=1).mean())
    return float((inside.mean(axis=0) ** 2).sum(axis=0).mean() / max(total, 1e-12))


def diversity(samples: Floats, where: Bools) -> float:
    """Mean distance between two samples over the mean size of one; 0 for a single sample."""
    flat = samples[:, :, :, where].reshape(len(samples), -1)
    size = float(np.linalg.norm(flat, axis=1).mean())
    pairs = [np.linalg.norm(a - b) for i, a in enumerate(flat) for b in flat[:i]]
    return float(np.mean(pairs)) / max(size, 1e-9) if pairs else 0.0


def summary(rows: list[Scores]) -> dict[str, float]:
    """Means over clips in which it is known, the median of ``where``, and correlations across
    clips."""
    table = {name: np.array([asdict(row)[name] for row in rows]) for name in asdict(rows[0])}
    known = {name: values[np.isfinite(values)] for name, values in table.items()}
    out = {name: float(values.mean()) if len(values) else np.nan for name, values in known.items()}
    out["where_median"] = float(np.median(known["where"])) if len(known["where"]) else np.nan
    out["calibration"] = _correlation(np.log(table["true_speed"]), np.log(table["speed"] + 1e-6))
    out["drift_correlation"] = _correlation(table["true_drift"], table["drift"])
    return out | {"clips": float(len(rows))}


def _correlation(a: Floats, b: Floats) -> float:
    if len(a) < 3 or a.std() < 1e-9 or b.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


Guess = Callable[[Truth, int], Floats]
"""A model or baseline: a clip and a seed to a velocity ``[T, 2, h, w]``; only the clip's
picture may be used."""
