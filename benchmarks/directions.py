"""Who knows best which way and how fast clouds, water, falls and smoke go?

    vivant prepare CLIPS --split val --max-text 1 --min-speed 0 --min-confidence 0 --out shards/val
    python benchmarks/directions.py --out directions.json shards/train shards/val shards/test

Compared, per kind, on clips that the diffusion transformer was not trained on (the bundle's
`data.json` names those that it was), eight samples each: **constant**, the middle drifts in one
direction, in quarter turns; **by hand**, the layers under the constants that were found by trying;
**fitted**, the layers under distributions of speed and direction fitted to flow, by five folds of
sources, so that no clip is sampled from a distribution that it was fitted to; **transformer**, its
sampled field; **both**, the transformer's directions at the fitted speeds; **fields**, the fitted
directions at the speeds of the transformer. What counts are the cells of the kind that truly move;
layers state here their steady motion.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vivant.bundle import BUILTIN
from vivant.clip import Floats, Picture
from vivant.data.shards import Sample, read_facts, read_sample, shard_paths
from vivant.data.windows import windows_of
from vivant.evaluation.baselines import centre
from vivant.evaluation.by_kind import kind_truths
from vivant.evaluation.motion_scores import Scores, Truth, score, summary
from vivant.evaluation.statistics import bootstrap
from vivant.motion.held import Looked, look
from vivant.motion.model import MotionModel
from vivant.motion.priors import PRIORS, Normal, Priors
from vivant.records import to_data
from vivant.registry import load
from vivant.rendering.manners.drift import Drift
from vivant.rendering.shot import Shot
from vivant.request import Runtime
from vivant.training.drift_clips import certain, drifts_in, named, stated_velocity
from vivant.training.drift_fit import FOLDS, ROWS, Drifted, DriftFit, applied, fitted

KINDS = ("sky", "water", "fall", "smoke")
SHOWING = ("sky", "water", "fog", "smoke", "snow", "camera move", "foliage", "city")
"""Categories of clips in which these kinds are likely seen from a camera that stands."""
SAMPLES = 8
SHOWN = ("direction_best", "direction_mean", "endpoint_best", "rhythm", "leakage", "true_speed")


@dataclass(frozen=True, eq=False)
class Case:
    """A clip: its ``split`` and ``source``, what of each kind moves, what is seen, what the
    transformer samples ``[S, T, 2, h, w]``, and what its layers are told by flow."""

    name: str
    split: str
    source: str
    truths: dict[str, Truth]
    looked: Looked
    sampled: Floats
    drifted: list[Drifted]


def cases(folders: list[Path], model: MotionModel) -> Iterator[Case]:
    for folder in folders:
        for path in shard_paths(folder):
            if not str(read_facts(path).get("category", "")).startswith(SHOWING):
                continue
            case = _case(read_sample(path), folder.name, model)
            if case is not None:
                print(path.stem, ", ".join(case.truths), flush=True)
                yield case


def _case(sample: Sample, split: str, model: MotionModel) -> Case | None:
    windows = list(windows_of(sample))
    window = next((one for one in windows if not one.camera_moves), windows[0])
    step = next(k for k in sorted(sample.keys) if np.array_equal(sample.keys[k], window.image))
    truths = {k: t for k, t in kind_truths(sample, window, step).items() if k in KINDS}
    if not truths:
        return None
    picture = Picture(window.image, sha256=sample.key)
    fields = [model.fields.predict(Shot(picture, seconds=2.0, seed=k)) for k in range(SAMPLES)]
    sampled = np.stack([field.velocity for field in fields]).astype(np.float16)
    looked = look(picture, Runtime(threads=model.runtime.threads))
    moving = {kind: truth.moving for kind, truth in truths.items()}
    steady = next(iter(truths.values())).window
    drifted = drifts_in(sample, looked, steady, moving, PRIORS)
    source = str(sample.facts.get("origin", sample.key))
    return Case(sample.key, split, source, truths, looked, sampled, drifted)


def layered(case: Case, kind: str, priors: Priors) -> Floats:
    """Steady motion ``[S, T, 2, h, w]`` of a kind's layers."""
    clouds = _clouds(case) if kind == "sky" else np.zeros((2, 2, 1, 1), np.float32)
    h, w = case.truths[kind].moving.shape
    out = np.zeros((SAMPLES, 1, 2, h, w), np.float32)
    for seed in range(SAMPLES):
        for _, layer in named(case.looked, priors, seed):
            if layer.kind != kind:
                continue
            if isinstance(layer.manner, Drift):
                out[seed, 0] += layer.manner.speed * clouds[0] + layer.manner.rise * clouds[1]
            elif layer.velocity is not None:
                wide = cv2.resize(layer.velocity, (w, h), interpolation=cv2.INTER_AREA)
                out[seed, 0] += wide.transpose(2, 0, 1)
    return np.repeat(out, len(case.truths[kind].window.velocity), axis=1)


def _clouds(case: Case) -> Floats:
    """Velocities ``[2, 2, h, w]`` of clouds that go across, and that rise, at one short side a
    second: how fast they go where is linear in both."""
    image, plain = case.truths["sky"].window.image, certain(PRIORS)
    rows, seen = [], []
    for climb in (0.0, 45.0):
        own = named(case.looked, replace(plain, sky_climb=Normal(climb, 0.0)))
        layer = next(layer for name, layer in own if name == "sky")
        rows.append([layer.manner.speed, layer.manner.rise])
        seen.append(stated_velocity(case.looked, layer, image))
    return np.asarray(np.tensordot(np.linalg.inv(rows), np.stack(seen), axes=1), np.float32)


def folds(found: list[Case]) -> list[Priors]:
    """For each fold of sources the distributions that the others teach."""
    names = sorted({case.source for case in found})
    order = np.random.default_rng(0).permutation(len(names))
    place = {names[k]: index % FOLDS for index, k in enumerate(order)}
    out = []
    for number in range(FOLDS):
        rest = [d for c in found if place[c.source] != number for d in c.drifted]
        out.append(applied(PRIORS, fits_of(rest), PRIORS))
    return [out[place[case.source]] for case in found]


def fits_of(seen: list[Drifted]) -> list[DriftFit]:
    """What clips teach of each kind of which there are two."""
    own = {kind: [one for one in seen if one.kind == kind] for kind in ROWS}
    return [fitted(kind, of, PRIORS) for kind, of in own.items() if len(of) > 1]


def at_speed(directions: Floats, speeds: Floats, where: Floats) -> Floats:
    """Fields ``[S, T, 2, h, w]`` as they go, each as fast in the mean over cells ``where`` as its
    fellow."""
    sizes = [np.linalg.norm(v.mean(axis=1), axis=1)[:, where].mean(axis=1)
             for v in (directions, speeds)]  # fmt: skip
    factor = sizes[1] / np.maximum(sizes[0], 1e-6)
    return np.asarray(directions * factor[:, None, None, None, None], np.float32)


def scored(case: Case, kind: str, priors: Priors) -> dict[str, Scores]:
    """What each subject scores on a kind of a clip."""
    truth = case.truths[kind]
    sampled = case.sampled.astype(np.float32)
    hand, taught = (layered(case, kind, p) for p in (PRIORS, priors))
    drawn = {
        "constant": np.stack([centre(truth, seed) for seed in range(SAMPLES)]),
        "by hand": hand,
        "fitted": taught,
        "transformer": sampled,
        "both": at_speed(sampled, taught, truth.moving),
        "fields": at_speed(taught, sampled, truth.moving),
    }
    return {name: score(truth, made) for name, made in drawn.items()}


def table(rows: list[dict[str, Scores]]) -> dict[str, Any]:
    """Means and 95 % intervals by subject, and of the differences to the layers as fitted."""
    out: dict[str, Any] = {"clips": len(rows)}
    for name in rows[0]:
        mean = summary([row[name] for row in rows])
        out[name] = {}
        for measure in SHOWN:
            values = np.array([asdict(row[name])[measure] for row in rows])
            less = values - np.array([asdict(row["fitted"])[measure] for row in rows])
            sound = np.isfinite(values)
            if not sound.any():
                continue
            figures = (mean[measure], *bootstrap(values[sound]))
            out[name][measure] = [round(v, 3) for v in figures]
            if name != "fitted" and "speed" not in measure:
                out[name][f"{measure} less fitted"] = [round(v, 3) for v in bootstrap(less[sound])]
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shards", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    model = load("builtin", Runtime(threads=1))
    if not isinstance(model, MotionModel):
        raise SystemExit("the built-in model samples no motion fields")
    found = list(cases(args.shards, model))
    priors = folds(found)
    known = {row["shot"] for row in json.loads((BUILTIN / "data.json").read_text())}
    tasks = [(case, kind, own) for case, own in zip(found, priors, strict=True)
             if case.name not in known for kind in case.truths]  # fmt: skip
    with ProcessPoolExecutor(args.processes) as pool:
        scores = list(pool.map(scored, *zip(*tasks, strict=True)))
    rows = {kind: [row for row, task in zip(scores, tasks, strict=True) if task[1] == kind]
            for kind in KINDS}  # fmt: skip
    taught = [d for case in found if case.split == "train" for d in case.drifted]
    report: dict[str, Any] = {
        "clips": len(found),
        "fitted to train": [to_data(fit) for fit in fits_of(taught)],
        **{kind: table(own) for kind, own in rows.items() if own},
    }
    args.out.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
